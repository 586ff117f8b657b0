//! What nodes of `/proc` there are.

/// What a node of `/proc` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Proc {
    Root,
    /// `/proc/self`
    Myself,
    /// `/proc/thread-self`
    MyThread,
    Exe,
    Cwd,
    RootLink,
    Fds,
    FdInfos,
    Tasks,
    Cmdline,
    Comm,
    Environ,
    Limits,
    Maps,
    Mounts,
    MountInfo,
    Stat,
    Statm,
    Status,
    OomScore,
    Auxv,
    Personality,
    UidMap,
    GidMap,
    SetGroups,
    DomainName,
    Cgroup,
    CpuInfo,
    MemInfo,
    Version,
    Uptime,
    LoadAverage,
    SystemStat,
    FileSystems,
    SystemCommand,
    Swaps,
    OsType,
    OsRelease,
    HostName,
    PidMax,
    Overcommit,
    PipeSize,
    MapCount,
    BootId,
    Uuid,
    NewPrivileges,
    Empty,
}

/// Above this number a link leads to what a descriptor stands for.
pub(super) const DESCRIPTOR: u32 = 0x1_0000;

const ALL: [Proc; 47] = {
    use Proc::*;
    [
        Root,
        Myself,
        MyThread,
        Exe,
        Cwd,
        RootLink,
        Fds,
        FdInfos,
        Tasks,
        Cmdline,
        Comm,
        Environ,
        Limits,
        Maps,
        Mounts,
        MountInfo,
        Stat,
        Statm,
        Status,
        OomScore,
        Auxv,
        Personality,
        UidMap,
        GidMap,
        SetGroups,
        DomainName,
        Cgroup,
        CpuInfo,
        MemInfo,
        Version,
        Uptime,
        LoadAverage,
        SystemStat,
        FileSystems,
        SystemCommand,
        Swaps,
        OsType,
        OsRelease,
        HostName,
        PidMax,
        Overcommit,
        PipeSize,
        MapCount,
        BootId,
        Uuid,
        NewPrivileges,
        Empty,
    ]
};

pub(super) fn proc(kind: u32) -> Option<Proc> {
    ALL.get(kind as usize).copied()
}

/// Files of every process's folder.
pub(super) const OF_PROCESS: [(&[u8], Proc); 20] = [
    (b"auxv", Proc::Auxv),
    (b"cgroup", Proc::Cgroup),
    (b"cmdline", Proc::Cmdline),
    (b"comm", Proc::Comm),
    (b"environ", Proc::Environ),
    (b"gid_map", Proc::GidMap),
    (b"limits", Proc::Limits),
    (b"maps", Proc::Maps),
    (b"mountinfo", Proc::MountInfo),
    (b"mounts", Proc::Mounts),
    (b"oom_adj", Proc::OomScore),
    (b"oom_score", Proc::OomScore),
    (b"oom_score_adj", Proc::OomScore),
    (b"personality", Proc::Personality),
    (b"setgroups", Proc::SetGroups),
    (b"smaps", Proc::Maps),
    (b"stat", Proc::Stat),
    (b"statm", Proc::Statm),
    (b"status", Proc::Status),
    (b"uid_map", Proc::UidMap),
];

/// Files beside the processes' folders.
pub(super) const OF_SYSTEM: [(&[u8], Proc); 10] = [
    (b"cmdline", Proc::SystemCommand),
    (b"cpuinfo", Proc::CpuInfo),
    (b"filesystems", Proc::FileSystems),
    (b"loadavg", Proc::LoadAverage),
    (b"meminfo", Proc::MemInfo),
    (b"modules", Proc::Empty),
    (b"stat", Proc::SystemStat),
    (b"swaps", Proc::Swaps),
    (b"uptime", Proc::Uptime),
    (b"version", Proc::Version),
];

pub(super) const OF_KERNEL: [(&[u8], Proc); 5] = [
    (b"domainname", Proc::DomainName),
    (b"hostname", Proc::HostName),
    (b"osrelease", Proc::OsRelease),
    (b"ostype", Proc::OsType),
    (b"pid_max", Proc::PidMax),
];
