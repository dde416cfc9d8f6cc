package tapedeck.cpu.fast;

import java.lang.classfile.TypeKind;
import tapedeck.ad.type.DType;

/** Type of a node in generated code. */
enum Type {
  F32(TypeKind.FLOAT, 4),
  F64(TypeKind.DOUBLE, 8),
  I32(TypeKind.INT, 4),
  /** Bit patterns of F64 values. */
  I64(TypeKind.LONG, 8),
  BOOL(TypeKind.INT, 1),
  /** Element indices and addresses; never held in vectors. */
  INDEX(TypeKind.LONG, 8);

  final TypeKind kind;
  final int bytes;

  Type(TypeKind kind, int bytes) {
    this.kind = kind;
    this.bytes = bytes;
  }

  boolean isFloat() {
    return this == F32 || this == F64;
  }

  static Type of(DType t) {
    return switch (t) {
      case FLOAT32 -> F32;
      case FLOAT64 -> F64;
      case INT32 -> I32;
      case BOOL -> BOOL;
    };
  }
}
