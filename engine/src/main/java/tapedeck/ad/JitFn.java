package tapedeck.ad;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.run.Engine;
import tapedeck.ad.run.InlineCustom;
import tapedeck.ad.run.ScheduleText;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TapedeckException;

/**
 * A compiled function. The first call with some structure, types, static values and device traces
 * and compiles; later ones only submit the kernels. Tensors that the function takes from outside
 * keep the values they had when it was traced, and so does everything else it reads. Inside another
 * transform it is traced into that transform. May be called from several threads.
 */
public abstract sealed class JitFn permits JitFn1, JitFn2, JitFn3 {
  /** What decides whether a call must compile. */
  private record Key(List<Pytree> trees, List<Aval> avals, String device, String settings) {}

  private record Compiled(
      Tape tape, List<Tensor> consts, Pytree result, Set<Integer> donated, String device) {}

  private static final int ENTRIES = 256;

  private final Call.Body body;
  private final Donate donate;

  /** The least recently used is forgotten first, for functions whose static values never repeat. */
  private final Map<Key, Compiled> entries =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Compiled> eldest) {
          return size() > ENTRIES;
        }
      };

  private int compilations;
  private @Nullable Key lastKey;
  private @Nullable Compiled last;
  private String reason = "it has not been called";

  JitFn(Call.Body body, Donate donate) {
    this.body = body;
    this.donate = donate;
  }

  final Object call(Object... args) {
    Call call = Call.of("jit", body, args);
    if (call.isTraced()) {
      Call.Traced t = call.trace();
      return t.result().unflatten(Trace.apply(t.tape(), t.inputs(call.leaves)));
    }
    Key key = new Key(call.trees, call.avals(), Engine.deviceOf(call.leaves), Engine.settings());
    Compiled e;
    synchronized (this) {
      e = entries.get(key);
      if (e == null) {
        Call.Traced t = call.trace();
        if (t.hasTracedConsts()) {
          return t.result().unflatten(Trace.apply(t.tape(), t.inputs(call.leaves)));
        }
        e = entry(t, call, key.device());
        reason = why(call, key);
        entries.put(key, e);
        compilations++;
      }
      last = e;
      lastKey = key;
    }
    for (Tensor c : e.consts()) {
      if (c.isClosed()) {
        throw SourceLine.at(
            new ClosedException(
                "[jit] a tensor " + c.aval() + " that the function uses from outside was closed"));
      }
    }
    List<Tensor> inputs = new Call.Traced(e.tape(), e.consts(), e.result()).inputs(call.leaves);
    return e.result().unflatten(Engine.replay(e.tape(), inputs, e.donated()));
  }

  private Compiled entry(Call.Traced t, Call call, String device) {
    Trace.Result plain = InlineCustom.inline(t.tape());
    List<Tensor> consts = plain.inputs(t.consts());
    Set<Integer> donated = new HashSet<>();
    if (donate == Donate.FIRST) {
      for (int i = 0; i < call.groups.get(0).size(); i++) {
        donated.add(consts.size() + i);
      }
    }
    Tape tape = Engine.compile(plain.tape().closed(), donated, device);
    return new Compiled(tape, consts, t.result(), donated, device);
  }

  private String why(Call call, Key key) {
    if (lastKey == null) {
      return "it was the first call";
    }
    if (!lastKey.trees().equals(key.trees())) {
      for (int i = 0; i < key.trees().size(); i++) {
        if (!lastKey.trees().get(i).equals(key.trees().get(i))) {
          return "structure or static values of argument "
              + (i + 1)
              + " changed from "
              + lastKey.trees().get(i)
              + " to "
              + key.trees().get(i);
        }
      }
    }
    for (int i = 0; i < key.avals().size(); i++) {
      if (!lastKey.avals().get(i).equals(key.avals().get(i))) {
        return call.name(i)
            + " changed from "
            + lastKey.avals().get(i)
            + " to "
            + key.avals().get(i);
      }
    }
    if (!lastKey.device().equals(key.device())) {
      return "the device changed from " + lastKey.device() + " to " + key.device();
    }
    if (lastKey.settings().equals(key.settings())) {
      return "more than " + ENTRIES + " others had been compiled since";
    }
    return "settings changed from '" + lastKey.settings() + "' to '" + key.settings() + "'";
  }

  /** {@return how often this was traced and compiled} */
  public final synchronized int compilations() {
    return compilations;
  }

  /**
   * {@return how often and why this was compiled, and the kernels of the last call as text}
   *
   * @throws TapedeckException before the first call
   */
  public final String explain() {
    String head;
    synchronized (this) {
      head = "compiled " + compilations + " times, the last time because " + reason + "\n";
    }
    return head + ScheduleText.of(schedule());
  }

  /**
   * {@return the number of kernels that one call launches}
   *
   * @throws TapedeckException before the first call
   */
  public final int kernels() {
    return schedule().launches().size();
  }

  /**
   * {@return the bytes of the memory plan for the values between kernels}
   *
   * @throws TapedeckException before the first call
   */
  public final long arenaBytes() {
    return schedule().arenaBytes();
  }

  /**
   * {@return the largest sum of bytes of such values that are needed at the same time: no plan can
   * be smaller}
   *
   * @throws TapedeckException before the first call
   */
  public final long liveBytes() {
    return schedule().liveBytes();
  }

  /**
   * {@return the schedule of the last call}
   *
   * @throws TapedeckException before the first call
   */
  public final Schedule schedule() {
    Compiled e;
    synchronized (this) {
      e = last;
    }
    if (e == null) {
      throw SourceLine.at(
          new TapedeckException("[jit] call the function before asking for its schedule"));
    }
    return Engine.schedule(e.tape(), e.donated(), e.device());
  }
}
