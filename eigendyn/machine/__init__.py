"""Programs enter; code of this machine's processor leaves, by LLVM."""
