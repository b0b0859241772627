# Sourced by scripts: find qemu-aarch64 ($qemu; nothing if there is none), and emulate processors with it.
#
# ONNX Runtime looks into /proc/cpuinfo: without one of the emulated processor it reads this machine's, and crashes.
cross=/usr/aarch64-linux-gnu

find_qemu() { # folder in which a qemu may have been unpacked
  qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || ls "$1"/qemu/usr/bin/qemu-aarch64-static 2>/dev/null || true)
}

emulate_as() { # processor, folder for its files, library path: sets $emulate, the command that runs a program
  features="fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
  case $1 in
    cortex-a72) part=0xd08 ;;
    cortex-a76) part=0xd0b features="$features atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp" ;;
    *) echo "error: no /proc/cpuinfo of $1 here; cortex-a72 and cortex-a76 are known" >&2; exit 1 ;;
  esac
  mkdir -p "$2/proc"
  ln -sfn $cross/lib "$2/lib"
  printf 'processor\t: 0\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 3\n\n' \
    "$features" "$part" >"$2/proc/cpuinfo"
  emulate="$qemu -L $2 -cpu $1 -E LD_LIBRARY_PATH=$3"
}
