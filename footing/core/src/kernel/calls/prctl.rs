//! What a process and its threads are set to: arch_prctl(2), personality(2), prctl(2).

use crate::errno::{EFAULT, EINVAL, EPERM, Errno};
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;

impl<P: Platform> Kernel<P> {
    /// arch_prctl(2): FS and GS. CPUID can't be made to fault here.
    pub(crate) fn sys_arch_prctl(&mut self, a: [u64; 6]) -> Done {
        let mut registers = self.registers()?;
        match a[0] {
            0x1001 | 0x1002 if a[1] >= 0x7fff_ffff_f000 => return Err(EPERM.into()),
            0x1001 => registers.gs_base = a[1],
            0x1002 => registers.fs_base = a[1],
            0x1003 => return Ok(self.put64(a[1], registers.fs_base).map(|()| 0)?),
            0x1004 => return Ok(self.put64(a[1], registers.gs_base).map(|()| 0)?),
            0x1011 => return Ok(1),
            0x1012 => return Err(crate::errno::ENODEV.into()),
            _ => return Err(EINVAL.into()),
        }
        self.set_registers(&registers)?;
        Ok(0)
    }

    /// personality(2): kept, without effect.
    pub(crate) fn sys_personality(&mut self, a: [u64; 6]) -> Done {
        let process = self.process()?;
        let before = process.personality;
        if a[0] as u32 != u32::MAX {
            process.personality = a[0] as u32;
        }
        Ok(before.into())
    }

    /// prctl(2): names, death signals, subreapers; what has no meaning here is EINVAL.
    pub(crate) fn sys_prctl(&mut self, a: [u64; 6]) -> Done {
        match a[0] as i32 {
            1 if a[1] > 64 => Err(EINVAL.into()),
            1 => {
                self.process()?.death_signal = a[1] as i32;
                Ok(0)
            }
            2 => {
                let signal = self.me()?.death_signal as u32;
                Ok(self.put32(a[1], signal).map(|()| 0)?)
            }
            // PR_GET_DUMPABLE, PR_SET_DUMPABLE.
            3 => Ok(1),
            4 if a[1] > 1 => Err(EINVAL.into()),
            15 => {
                let mut name = self.name_at(a[1])?;
                name[15] = 0;
                self.thread()?.name = name;
                Ok(0)
            }
            16 => {
                let name = self.thread()?.name;
                Ok(self.store(a[1], &name).map(|()| 0)?)
            }
            // PR_CAPBSET_READ: whoever builds has no capability.
            23 if a[1] > 40 => Err(EINVAL.into()),
            // PR_SET_TIMERSLACK, PR_SET_PDEATHSIG's kin without effect; PR_SET_NO_NEW_PRIVS; PR_SET_THP_DISABLE.
            4 | 23 | 29 | 41 => Ok(0),
            30 => Ok(50_000),
            36 => {
                self.process()?.subreaper = a[1] != 0;
                Ok(0)
            }
            37 => {
                let subreaper = self.me()?.subreaper.into();
                Ok(self.put32(a[1], subreaper).map(|()| 0)?)
            }
            38 if a[1] == 1 => Ok(0),
            39 if a[1..5] == [0; 4] => Ok(1),
            // PR_SET_VMA: names of mappings are not kept.
            0x5356_4d41 => Ok(0),
            _ => Err(EINVAL.into()),
        }
    }

    fn name_at(&mut self, at: u64) -> Result<[u8; 16], Errno> {
        let mut name = [0; 16];
        let got = self.fetch_some(at, &mut name);
        let end = name.iter().take(15).position(|&byte| byte == 0);
        let end = end.or(if got >= 15 { Some(15) } else { None }).ok_or(EFAULT)?;
        name.iter_mut().skip(end).for_each(|byte| *byte = 0);
        Ok(name)
    }
}
