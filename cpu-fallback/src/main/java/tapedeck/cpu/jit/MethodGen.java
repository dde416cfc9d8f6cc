package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;

/**
 * A method under construction.
 *
 * @param buffers local with the array of addresses of the kernel's parameters
 * @param scratch long local with the address of scratch memory
 */
record MethodGen(CodeBuilder code, Asm asm, ScalarGen scalar, int buffers, int scratch) {
  void scratchAddress(long offset) {
    code.lload(scratch).loadConstant(offset).ladd();
  }

  /** Stores the long on the stack at an offset of scratch memory. */
  void putLong(long offset) {
    int value = asm.keep(TypeKind.LONG);
    scratchAddress(offset);
    code.lload(value);
    asm.putLong();
  }

  /** Pushes the long at an offset of scratch memory. */
  void getLong(long offset) {
    scratchAddress(offset);
    asm.getLong();
  }
}
