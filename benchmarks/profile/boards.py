"""Boards whose time is estimated: MACs of one core in a cycle, clock, and memory throughput.

Every number has its source; none was measured for this project. `is_verified` is false where no source was read that
states the number itself; estimates list these numbers as unverified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edgeecho.errors import ConfigError

VFPBENCH = "https://github.com/hiroog/vfpbench/blob/flatlib/log"
LLVM = "https://github.com/llvm/llvm-project/blob/main/llvm/lib/Target/AArch64"
MLAS = "https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/aarch64"
SBC_REVIEWS = "https://github.com/geerlingguy/sbc-reviews/issues"


class Fact(NamedTuple):
    """A number and its source."""

    value: float
    source: str
    is_verified: bool = True


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board with the numbers that bound a network on its CPU."""

    name: str
    title: str
    cores: int
    """Number of cores of the kind described; a chip's smaller cores are left out."""
    clock_ghz: Fact
    fp32_macs_per_cycle: Fact
    """MACs of one core in fp32."""
    int8_macs_per_cycle: Fact
    """MACs of one core in int8 with its best instructions."""
    int8_kernel_macs_per_cycle: Fact
    """MACs of one core with the instructions of ONNX Runtime's kernel for unsigned activations, as in our export."""
    copy_gb_per_s: Fact
    """Bytes read and written a second by one core that copies a large array; GB = 10^9 bytes."""

    def facts(self) -> dict[str, Fact]:
        """Return all numbers that have a source."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Fact)}

    def peak_gmac_per_s(self, precision: str, threads: int, *, as_kernels_run: bool) -> float:
        """Return the peak throughput of `threads` cores in `int8` or `fp32`."""
        best = self.int8_kernel_macs_per_cycle if as_kernels_run else self.int8_macs_per_cycle
        a_cycle = best if precision == "int8" else self.fp32_macs_per_cycle
        return min(threads, self.cores) * self.clock_ghz.value * a_cycle.value


A72_FP32 = Fact(4, f"fmla.4s measured at one a cycle on a Raspberry Pi 4: {VFPBENCH}/BCM2835_RaspberryPi4.txt")
A72_INT8 = Fact(
    8,
    "one widening multiply (smull, smlal: 8 products of 8 bits) a cycle, no dot product; LLVM's model of the "
    f"Cortex-A57, which it uses for the A72 too: {LLVM}/AArch64SchedA57.td",
)
NEON_KERNEL = Fact(
    4,
    f"the kernel widens to 16 bits and multiplies by umlal .4s, 4 products each: {MLAS}/QgemmU8X8KernelNeon.S; "
    f"one such a cycle as in {LLVM}/AArch64SchedA57.td",
)
A76_FP32 = Fact(
    8, f"41.5 GFLOPS measured on one Cortex-A76 at 2.6 GHz, 16 a cycle: {VFPBENCH}/Hisilicon%20Kirin980%20P30Pro.txt"
)
A76_INT8 = Fact(
    32,
    "two 128-bit pipes of 16 products each by sdot or udot; the pipes stand in LLVM's model of the Neoverse N1, the "
    f"A76's sibling, that both take a dot product was not read: {LLVM}/AArch64SchedNeoverseN1.td",
    is_verified=False,
)
UDOT_KERNEL = Fact(
    32, f"ONNX Runtime has a udot kernel: {MLAS}/QgemmU8X8KernelUdot.S; its rate as that of udot", is_verified=False
)

BOARDS = (
    Board(
        name="rpi4",
        title="Raspberry Pi 4, 4 x Cortex-A72",
        cores=4,
        clock_ghz=Fact(1.5, f"clock in {VFPBENCH}/BCM2835_RaspberryPi4.txt; later boards run at 1.8"),
        fp32_macs_per_cycle=A72_FP32,
        int8_macs_per_cycle=A72_INT8,
        int8_kernel_macs_per_cycle=NEON_KERNEL,
        copy_gb_per_s=Fact(5.5, "STREAM copy, 5527 MB/s: https://www.sci-pi.org.uk/bench/stream.html"),
    ),
    Board(
        name="rpi5",
        title="Raspberry Pi 5, 4 x Cortex-A76",
        cores=4,
        clock_ghz=Fact(2.4, "https://palmopensource.com/hardware/raspberry-pi-5-benchmarks.php"),
        fp32_macs_per_cycle=A76_FP32,
        int8_macs_per_cycle=A76_INT8,
        int8_kernel_macs_per_cycle=UDOT_KERNEL,
        copy_gb_per_s=Fact(
            11.1,
            "tinymembench C copy, 5557 MB/s on 8 GB, read and written counted here: "
            "https://github.com/raspberrypi/firmware/issues/1876",
        ),
    ),
    Board(
        name="imx8mp",
        title="NXP i.MX 8M Plus, 4 x Cortex-A53",
        cores=4,
        clock_ghz=Fact(
            1.8, "the consumer grade's highest, from memory: NXP's data sheet was not read", is_verified=False
        ),
        fp32_macs_per_cycle=Fact(
            4,
            "vmla.f32 of 4 measured at one a cycle on a Raspberry Pi 3's Cortex-A53: "
            f"{VFPBENCH}/BCM2837%20Raspberry%20Pi%203%20Model%20B%20Rev%201.2.txt",
        ),
        int8_macs_per_cycle=A72_INT8._replace(
            source="taken to be as the A72's: one widening multiply a cycle, no dot product", is_verified=False
        ),
        int8_kernel_macs_per_cycle=NEON_KERNEL._replace(
            source=f"umlal .4s, 4 products each: {MLAS}/QgemmU8X8KernelNeon.S; one a cycle is assumed",
            is_verified=False,
        ),
        copy_gb_per_s=Fact(
            4.5,
            "tinymembench memcpy, 2230 MB/s, read and written counted here, of its older sibling i.MX 8M Quad: "
            "https://github.com/ThomasKaiser/sbc-bench/blob/master/Results.md",
            is_verified=False,
        ),
    ),
    Board(
        name="rk3588",
        title="Rockchip RK3588, its 4 x Cortex-A76",
        cores=4,
        clock_ghz=Fact(
            2.35,
            "Rock 5B, 2350 MHz: https://github.com/ThomasKaiser/Knowledge/blob/master/articles/"
            "Quick_Preview_of_ROCK_5B.md",
        ),
        fp32_macs_per_cycle=A76_FP32,
        int8_macs_per_cycle=A76_INT8,
        int8_kernel_macs_per_cycle=UDOT_KERNEL,
        copy_gb_per_s=Fact(
            21.7,
            "tinymembench memcpy, 10830 MB/s, read and written counted here: https://github.com/ThomasKaiser/Knowledge/"
            "blob/master/articles/Quick_Preview_of_ROCK_5B.md",
        ),
    ),
    Board(
        name="n100",
        title="Intel N100, 4 x Gracemont",
        cores=4,
        clock_ghz=Fact(3.4, f"one core; four ran at 2.9 in the same log: {VFPBENCH}/Intel(R)%20N100.txt"),
        fp32_macs_per_cycle=Fact(8, f"54.2 GFLOPS measured on one core at 3.4 GHz: {VFPBENCH}/Intel(R)%20N100.txt"),
        int8_macs_per_cycle=Fact(
            32, "vpdpbusd of 256 bits taken to run at the measured rate of vfmadd, one a cycle", is_verified=False
        ),
        int8_kernel_macs_per_cycle=Fact(
            32, "ONNX Runtime has an AVX-VNNI kernel; its rate as that of vpdpbusd", is_verified=False
        ),
        copy_gb_per_s=Fact(
            12.5,
            "tinymembench C copy, 6252 MB/s, read and written counted here, of the next model, the N150: "
            f"{SBC_REVIEWS}/64",
            is_verified=False,
        ),
    ),
)


def find_boards(names: Sequence[str]) -> list[Board]:
    """Return boards by name; `all` stands for every board.

    Raises:
        ConfigError: If one is unknown.
    """
    by_name = {board.name: board for board in BOARDS}
    if list(names) == ["all"]:
        return list(BOARDS)
    for name in names:
        if name not in by_name:
            raise ConfigError(f"unknown board {name!r}; known: {', '.join(by_name)}")
    return [by_name[name] for name in names]
