"""Compile programs to machine code of this processor, with LLVM."""
