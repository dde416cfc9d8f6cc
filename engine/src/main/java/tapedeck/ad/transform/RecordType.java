package tapedeck.ad.transform;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TapedeckException;

/** Accessors and the canonical constructor of a record class, looked up once. */
final class RecordType {
  private static final ClassValue<RecordType> ALL =
      new ClassValue<>() {
        @Override
        protected RecordType computeValue(Class<?> type) {
          return new RecordType(type);
        }
      };

  private final Class<?> type;
  private final Method[] accessors;
  private final Constructor<?> constructor;

  private RecordType(Class<?> type) {
    this.type = type;
    try {
      RecordComponent[] parts = type.getRecordComponents();
      Class<?>[] types = new Class<?>[parts.length];
      accessors = new Method[parts.length];
      for (int i = 0; i < parts.length; i++) {
        types[i] = parts[i].getType();
        accessors[i] = parts[i].getAccessor();
        accessors[i].setAccessible(true);
      }
      constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw closed(e);
    }
  }

  /**
   * @throws TapedeckException if the record's package is not open to the engine
   */
  static RecordType of(Class<?> type) {
    return ALL.get(type);
  }

  int size() {
    return accessors.length;
  }

  Object read(Record r, int part) {
    try {
      return accessors[part].invoke(r);
    } catch (InvocationTargetException e) {
      throw failed("accessor " + accessors[part].getName() + "()", e);
    } catch (ReflectiveOperationException e) {
      throw closed(e);
    }
  }

  Object construct(Object[] args) {
    try {
      return constructor.newInstance(args);
    } catch (InvocationTargetException e) {
      throw failed("constructor", e);
    } catch (ReflectiveOperationException e) {
      throw closed(e);
    }
  }

  private RuntimeException failed(String what, InvocationTargetException e) {
    return e.getCause() instanceof RuntimeException x
        ? x
        : new TapedeckException(
            "[pytree] " + what + " of " + type.getName() + " failed", e.getCause());
  }

  private TapedeckException closed(Exception e) {
    return SourceLine.at(
        new TapedeckException(
            "[pytree] record "
                + type.getName()
                + " is not accessible; make it public or open its package to tapedeck.engine",
            e));
  }
}
