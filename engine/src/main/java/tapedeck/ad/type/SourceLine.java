package tapedeck.ad.type;

/** Finds the line of user code that called into the engine. */
public final class SourceLine {
  private static final StackWalker WALKER = StackWalker.getInstance();

  private SourceLine() {}

  /**
   * {@return the innermost frame outside the engine, as in {@code Model.java:42}; empty if there is
   * none} Tests in the engine's packages count as outside.
   */
  public static String find() {
    return WALKER.walk(
        frames ->
            frames
                .filter(f -> !isEngine(f.getClassName()))
                .findFirst()
                .map(f -> f.getFileName() + ":" + f.getLineNumber())
                .orElse(""));
  }

  private static boolean isEngine(String className) {
    if (className.startsWith("java.") || className.startsWith("jdk.")) {
      return true;
    }
    if (!className.startsWith("tapedeck.ad.")) {
      return false;
    }
    // Tests live in the engine's packages, and are users all the same.
    return !className.contains("Test") && !className.startsWith("tapedeck.ad.testkit.");
  }

  /**
   * {@return the same exception type with the user's line at the end of its message; {@code e}
   * itself where a line is there already or none can be found}
   *
   * @param <E> one of the engine's exception types
   * @param e the error, which becomes the cause of the result
   */
  @SuppressWarnings("unchecked")
  public static <E extends TapedeckException> E at(E e) {
    String line = find();
    String message = String.valueOf(e.getMessage());
    if (line.isEmpty() || message.contains("; at ")) {
      return e;
    }
    String m = message + "; at " + line;
    TapedeckException out =
        switch ((TapedeckException) e) {
          case ShapeException x -> new ShapeException(m, x);
          case DTypeException x -> new DTypeException(m, x);
          case TracingException x -> new TracingException(m, x);
          case ClosedException x -> new ClosedException(m, x);
          case OutOfDeviceMemoryException x -> new OutOfDeviceMemoryException(m, x);
          case DeviceException x -> new DeviceException(m, x);
          case ValidationException x -> new ValidationException(m, x);
          case DataException x -> new DataException(m, x);
          default -> new TapedeckException(m, e);
        };
    return (E) out;
  }
}
