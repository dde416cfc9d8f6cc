package tapedeck.ad;

/** Which arguments a compiled function may overwrite. Their tensors are closed by the call. */
public enum Donate {
  /** None: all arguments stay as they are. */
  NONE,

  /** The first argument, such as the parameters that an update replaces. */
  FIRST
}
