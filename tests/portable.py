"""Run the suite under each arithmetic that this processor can do: ``make test-portable``.

torch, numpy and MKL pick their kernels by the instructions of the processor, so the last bits of a
product differ from machine to machine. Here one machine stands for several. A configuration that
the processor or an installed library cannot do is named and left out.

Spoiled files, kills and full disks are left out: in none of their tests is a number computed.

``python tests/portable.py NAME... -- PYTEST-ARGUMENTS`` runs some of them, or a part of the suite.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

PROBE = """
import json, numpy, scipy.linalg, torch
from threadpoolctl import threadpool_info
from driftkit.neighbors.search.space import can_compile
pools = [pool for pool in threadpool_info() if pool["internal_api"] == "openblas"]
print(json.dumps({
    "torch": torch.backends.cpu.get_cpu_capability(),
    "OpenBLAS": " and ".join(sorted({pool["architecture"] for pool in pools})),
    "MKL": torch.backends.mkl.is_available(),
    "numba": can_compile(),
    "threads": torch.get_num_threads(),
}))
"""


@dataclass(frozen=True)
class Configuration:
    """Environment variables, and what the libraries must then say of themselves."""

    name: str
    environment: dict[str, str]
    expected: dict[str, object] = field(default_factory=dict)


CONFIGURATIONS = [
    Configuration("one-thread", {"OMP_NUM_THREADS": "1"}, {"threads": 1}),
    Configuration("two-threads", {"OMP_NUM_THREADS": "2"}, {"threads": 2}),
    *(
        Configuration(f"torch-{name}", {"ATEN_CPU_CAPABILITY": name}, {"torch": name.upper()})
        for name in ("default", "avx2", "avx512")
    ),
    *(
        Configuration(f"OpenBLAS-{name}", {"OPENBLAS_CORETYPE": name}, {"OpenBLAS": name})
        for name in ("Haswell", "SkylakeX")
    ),
    Configuration("MKL-compatible", {"MKL_CBWR": "COMPATIBLE"}, {"MKL": True}),
    Configuration("without-numba", {"NUMBA_DISABLE_JIT": "1"}, {"numba": False}),
]


def probe(configuration):
    """Ask the libraries what they use under a configuration; empty where they cannot start."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **configuration.environment}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return environment, json.loads(done.stdout) if done.returncode == 0 else {}


def run(environment, arguments):
    """Run the suite; print what failed, and return pytest's closing line and whether it passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    command.append("--ignore=tests/hostile")
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True)
    lines = done.stdout.splitlines() or done.stderr.splitlines() or ["nothing was printed"]
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print(line)
    return lines[-1].strip("= "), done.returncode == 0


def main(arguments):
    """Run the configurations asked for, say what was seen, and return the exit code."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    chosen, rest = arguments[:cut], arguments[cut + 1 :]
    names = [each.name for each in CONFIGURATIONS]
    if unknown := sorted(set(chosen) - set(names)):
        print(f"no configuration {', '.join(unknown)}; there are {', '.join(names)}.")
        return 2
    arithmetics, passed, failed = {}, [], []
    for each in CONFIGURATIONS:
        if chosen and each.name not in chosen:
            continue
        environment, found = probe(each)
        wrong = [name for name, value in each.expected.items() if found.get(name) != value]
        arithmetic = (*found.values(), environment.get("MKL_CBWR"))
        if wrong:
            said = f"not run: {wrong[0]} would be {found.get(wrong[0], 'unable to start')}"
        elif arithmetic in arithmetics:
            said = f"not run: the same arithmetic as {arithmetics[arithmetic]}"
        else:
            arithmetics[arithmetic] = each.name
            said, good = run(environment, rest)
            (passed if good else failed).append(each.name)
        print(f"{each.name}: {said}", flush=True)
    print(f"{len(passed)} configurations passed ({', '.join(passed)}), {len(failed)} failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
