//! A step from its first process to its last.

use super::process::{State, Thread};
use super::{Action, Alarm, End, Files, Kernel, Limit, Limits, Object, Outcome, Process, StepSettings, View};
use crate::errno::{EACCES, ENOENT, Errno};
use crate::platform::{Platform, Registers};
use crate::tree::NodeId;
use alloc::boxed::Box;
use alloc::vec::Vec;

const READ_ONLY: u32 = 0;
const WRITE_ONLY: u32 = 1;

impl<P: Platform> Thread<P> {
    /// A thread that has done nothing yet.
    pub(crate) fn new(process: i32, context: P::Context) -> Thread<P> {
        Thread {
            process,
            context,
            name: [0; 16],
            mask: 0,
            restore: None,
            pending: Vec::new(),
            altstack: (0, 0, 2),
            clear_tid: 0,
            robust: 0,
            call: None,
            wait: None,
            retry: false,
            woken: false,
            deadline: None,
            progress: 0,
            vfork: None,
            queued: false,
            timeouts: 0,
            looks: 0,
        }
    }
}

impl Process {
    /// A process that has done nothing yet, its own leader.
    pub(crate) fn new(id: i32, limits: Limits, personality: u32) -> Process {
        Process {
            id,
            parent: 0,
            group: id,
            session: id,
            threads: Vec::new(),
            space: u32::MAX,
            files: u32::MAX,
            view: u32::MAX,
            actions: Box::new([Action::default(); 65]),
            pending: Vec::new(),
            state: State::Alive,
            continued: false,
            exit_signal: 17,
            exe: None,
            exe_path: Vec::new(),
            arguments: (0, 0),
            environment: (0, 0),
            limits,
            alarm: Alarm::default(),
            cpu_alarms: [Alarm::default(); 2],
            posix_timers: Vec::new(),
            compat: false,
            executed: false,
            start: 0,
            calls: 0,
            children_calls: 0,
            looked: 0,
            subreaper: false,
            death_signal: 0,
            personality,
            folder: None,
        }
    }
}

impl<P: Platform> Kernel<P> {
    /// Runs a builder and all that it starts, until it ends or runs into a limit. `root` is what `/` is; its tree stays as the
    /// step left it, for the runner to take the outputs from. `log` takes what is written to the log, as it is written.
    pub fn run_step(&mut self, root: NodeId, step: StepSettings, log: &mut dyn FnMut(&[u8])) -> Outcome {
        self.step = step;
        self.vary();
        // What a step makes has the same numbers whatever its world holds.
        self.tree.round_inodes();
        self.root = root;
        (self.now, self.calls, self.logged, self.spun, self.trace) = (0, 0, 0, 0, 0);
        (self.last_pid, self.current, self.next_share) = (0, 0, 0);
        (self.end, self.log_node) = (None, None);
        self.unknown.clear();
        self.found.clear();
        let end = match self.begin() {
            Ok(()) => self.run(log),
            Err(errno) => End::NotStarted(errno),
        };
        if !self.output.is_empty() {
            log(&self.output);
            self.output.clear();
        }
        self.finish();
        Outcome {
            end,
            unknown: core::mem::take(&mut self.unknown),
            calls: self.calls,
            trace: self.trace,
            time: self.now,
        }
    }

    /// Makes the builder's process and gives it its program.
    fn begin(&mut self) -> Result<(), Errno> {
        if !self.step.builder_is_one {
            // A process without threads, which takes what others leave behind.
            self.last_pid = 1;
            self.processes.insert(1, Process::new(1, self.step.limits, self.step.personality));
            self.skip_pids();
        }
        let id = self.next_pid().ok_or(ENOENT)?;
        if self.step.builder_is_one {
            self.skip_pids();
        }
        self.builder = id;
        let mut process = Process::new(id, self.step.limits, self.step.personality);
        process.parent = i32::from(!self.step.builder_is_one);
        process.files = self.files.add(Files { users: 1, fds: Vec::new() })?;
        let (root, umask) = (self.root, self.step.umask);
        process.view = self.views.add(View { users: 1, root, cwd: root, umask })?;
        process.space = self.new_space(false)?;
        process.threads.push(id);
        let context = self.platform.context(&Registers::default());
        self.threads.insert(id, Thread::new(id, context));
        self.processes.insert(id, process);
        self.current = id;
        self.tree.hold(root);
        self.tree.hold(root);
        self.standard_streams()?;
        let cwd = core::mem::take(&mut self.step.cwd);
        let folder = self.node_at(super::lookup::AT_FDCWD, &cwd, true)?;
        self.tree.folder(folder)?;
        self.change_folder(folder)?;
        let path = core::mem::take(&mut self.step.builder);
        let (argv, envp) = (core::mem::take(&mut self.step.argv), core::mem::take(&mut self.step.envp));
        let node = self.node_at(super::lookup::AT_FDCWD, &path, true)?;
        if self.tree.file(node).is_err() {
            return Err(EACCES);
        }
        let image = self.image(node, path, argv, envp)?;
        self.replace(image)?;
        self.make_ready(id);
        Ok(())
    }

    /// The current process works in another directory.
    pub(crate) fn change_folder(&mut self, folder: NodeId) -> Result<(), Errno> {
        let view = self.me()?.view;
        self.tree.hold(folder);
        let before = core::mem::replace(&mut self.views.get_mut(view)?.cwd, folder);
        self.release_node(before);
        Ok(())
    }

    /// Standard input is empty, standard output and standard error are the log.
    fn standard_streams(&mut self) -> Result<(), Errno> {
        let input = match self.node_at(super::lookup::AT_FDCWD, b"/dev/null", true) {
            Ok(node) => self.new_open(Object::Node(node), READ_ONLY, b"/dev/null")?,
            Err(_) => self.new_open(Object::Log, READ_ONLY, b"")?,
        };
        self.install(input, 0, false)?;
        let output = self.new_open(Object::Log, WRITE_ONLY, b"")?;
        self.opens.get_mut(output)?.users = 2;
        self.install(output, 1, false)?;
        self.install(output, 2, false)?;
        Ok(())
    }

    /// Ends all processes and lets go of all that they held.
    fn finish(&mut self) {
        let ids: Vec<i32> = self.processes.keys().copied().collect();
        for id in ids {
            if let Some(process) = self.processes.remove(&id) {
                for thread in &process.threads {
                    self.threads.remove(thread);
                }
                self.leave_all(&process);
            }
        }
        self.threads.clear();
        self.ready.clear();
        self.blocked.clear();
        self.timers.clear();
        self.locks.clear();
        for number in self.opens.numbers() {
            if let Ok(open) = self.opens.get_mut(number) {
                open.users = 1;
                self.release_open(number);
            }
        }
        self.opens.clear();
        self.files.clear();
        self.views.clear();
        self.pipes.clear();
        self.sockets.clear();
        self.events.clear();
        self.timer_fds.clear();
        self.epolls.clear();
        self.spaces.clear();
        for id in self.shares.keys() {
            self.platform.unshare(crate::platform::SharedId(*id));
        }
        self.shares.clear();
    }

    /// A process lets go of its memory, its descriptors and its directories.
    pub(crate) fn leave_all(&mut self, process: &Process) {
        self.leave_files(process.files);
        self.leave_space(process.space);
        if let Ok(view) = self.views.get_mut(process.view) {
            view.users = view.users.saturating_sub(1);
            if view.users == 0
                && let Some(view) = self.views.remove(process.view)
            {
                self.release_node(view.root);
                self.release_node(view.cwd);
            }
        }
        if let Some(exe) = process.exe {
            self.release_node(exe);
        }
        if let Some(folder) = process.folder {
            self.drop_folder(folder);
        }
    }

    /// Adds to the log; the step ends where it is full.
    pub(crate) fn log(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
        self.logged = self.logged.saturating_add(bytes.len() as u64);
        if self.step.log_limit > 0 && self.logged > self.step.log_limit && self.end.is_none() {
            self.end = Some(End::Limit(Limit::Log));
        }
    }
}
