import pytest

from seq2seq_cli.inference import workers
from seq2seq_cli.inference.cpu_quota import quota_cores


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CASES = {
    "nothing is known": ({}, None),
    "version 2 without a limit": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
    "version 2 in a container": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
    "half a core more is rounded up": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
    "less than a core is one": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "20000 100000\n"}, 1),
    "a group above has the lowest quota": (
        {
            "proc/self/cgroup": "0::/user.slice/job\n",
            "sys/fs/cgroup/user.slice/cpu.max": "300000 100000\n",
            "sys/fs/cgroup/user.slice/job/cpu.max": "800000 100000\n",
        },
        3,
    ),
    "version 1 without a limit": (
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
    "version 1, in a container that does not see its own group": (
        {
            "proc/self/cgroup": "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        4,
    ),
    "version 1 without the usual link": (
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/job\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "50000\n",
        },
        1,
    ),
    "cpuset and memory are other controllers": (
        {"proc/self/cgroup": "4:cpuset:/\n", "sys/fs/cgroup/cpuset/cpu.max": "100000 100000\n"},
        None,
    ),
    "files that make no sense": (
        {"proc/self/cgroup": "no group\n0::/\n", "sys/fs/cgroup/cpu.max": "100000 0\n"},
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_quota_of_a_control_group_is_a_number_of_cores(case, tmp_path):
    files, cores = CASES[case]
    write(tmp_path, files)
    assert quota_cores(tmp_path) == cores


def test_the_quota_bounds_the_threads_as_well_as_the_affinity_does(monkeypatch):
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    for quota, cores in ((None, 4), (2, 2), (8, 4)):
        monkeypatch.setattr(workers, "quota_cores", lambda quota=quota: quota)
        assert workers.usable_cores() == workers.check_threads(None) == cores
