package tapedeck.ad.run;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Schedule.Launch;
import tapedeck.ad.schedule.Schedule.Place;
import tapedeck.ad.schedule.Schedule.Slot;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.ValidationException;

/**
 * Runs a schedule one launch at a time and looks at every result: compares it with the
 * interpreter's on copies of the same operands, or searches it for NaN, or both. Each arena slot
 * has a buffer of its own here.
 */
final class CheckedExecutable implements Executable {
  /** Name of the device whose results count as right. */
  private static final String REFERENCE = "interp";

  private final Device device;
  private final Device reference;
  private final Schedule schedule;
  private final boolean nans;
  private final List<Executable> onDevice = new ArrayList<>();
  private final List<Executable> onReference = new ArrayList<>();
  private final Map<Integer, Buffer> arena = new HashMap<>();

  private CheckedExecutable(Device device, Device reference, Schedule schedule, boolean nans) {
    this.device = device;
    this.reference = reference;
    this.schedule = schedule;
    this.nans = nans;
  }

  /**
   * @throws DeviceException if results are to be compared and there is no interpreter
   */
  static Executable compile(Device device, Schedule schedule, boolean validate, boolean nans) {
    Device reference = null;
    if (validate) {
      try {
        reference = Devices.open(REFERENCE);
      } catch (DeviceException e) {
        throw new DeviceException(
            "[validate] needs the device '" + REFERENCE + "': " + e.getMessage(), e);
      }
    }
    CheckedExecutable c = new CheckedExecutable(device, reference, schedule, nans);
    boolean done = false;
    try {
      c.build();
      done = true;
      return c;
    } finally {
      if (!done) {
        c.close();
      }
    }
  }

  private void build() {
    for (Launch l : schedule.launches()) {
      Schedule single = single(l);
      onDevice.add(device.compile(single));
      if (reference != null) {
        onReference.add(reference.compile(single));
      }
    }
    for (int i = 0; i < schedule.slots().size(); i++) {
      Slot s = schedule.slots().get(i);
      if (s.place() instanceof Place.Arena) {
        arena.put(i, device.allocate(s.bytes()));
      }
    }
  }

  /**
   * One launch as a schedule: every slot is an input, and those that are written are outputs in
   * place.
   */
  private Schedule single(Launch l) {
    List<Integer> used = used(l);
    List<Slot> slots = new ArrayList<>();
    List<Integer> inputs = new ArrayList<>();
    for (int i = 0; i < used.size(); i++) {
      Slot s = schedule.slots().get(used.get(i));
      slots.add(new Slot(s.dtype(), s.elements(), new Place.Input(i)));
      inputs.add(i);
    }
    List<Integer> outputs = written(l).stream().map(used::indexOf).toList();
    List<Integer> params = l.slots().stream().map(used::indexOf).toList();
    Launch alone = new Launch(l.kernel(), l.label(), l.source(), params);
    return new Schedule(slots, List.of(alone), inputs, outputs, 0, 0);
  }

  private static List<Integer> used(Launch l) {
    return l.slots().stream().distinct().toList();
  }

  /** Slots that a launch writes. */
  private static List<Integer> written(Launch l) {
    List<Integer> out = new ArrayList<>();
    for (int i = 0; i < l.slots().size(); i++) {
      Kernel.Param p = l.kernel().params().get(i);
      if (p.written() && !out.contains(l.slots().get(i))) {
        out.add(l.slots().get(i));
      }
    }
    return out;
  }

  @Override
  public synchronized void run(List<Buffer> inputs, List<Buffer> outputs) {
    for (int k = 0; k < onDevice.size(); k++) {
      Launch l = schedule.launches().get(k);
      List<Integer> used = used(l);
      List<Buffer> mine = new ArrayList<>();
      for (int slot : used) {
        mine.add(
            switch (schedule.slots().get(slot).place()) {
              case Place.Input p -> inputs.get(p.position());
              case Place.Output p -> outputs.get(p.position());
              case Place.Arena p -> arena.get(slot);
            });
      }
      List<MemorySegment> before = read(device, used, mine);
      onDevice.get(k).run(mine, written(l).stream().map(s -> mine.get(used.indexOf(s))).toList());
      List<MemorySegment> after = read(device, used, mine);
      if (nans) {
        checkNans(l, used, before, after);
      }
      if (reference != null) {
        compare(l, used, after, expected(k, used, before));
      }
    }
  }

  private List<MemorySegment> read(Device from, List<Integer> slots, List<Buffer> buffers) {
    List<MemorySegment> out = new ArrayList<>();
    for (int i = 0; i < slots.size(); i++) {
      long bytes = schedule.slots().get(slots.get(i)).bytes();
      MemorySegment s = MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
      from.read(buffers.get(i), s);
      out.add(s);
    }
    return out;
  }

  /** What the interpreter makes of the same operands. */
  private List<MemorySegment> expected(int k, List<Integer> used, List<MemorySegment> before) {
    Launch l = schedule.launches().get(k);
    List<Buffer> copies = new ArrayList<>();
    try {
      for (MemorySegment s : before) {
        Buffer b = reference.allocate(s.byteSize());
        copies.add(b);
        reference.write(b, s);
      }
      onReference
          .get(k)
          .run(copies, written(l).stream().map(s -> copies.get(used.indexOf(s))).toList());
      return read(reference, used, copies);
    } finally {
      copies.forEach(Buffer::close);
    }
  }

  private void compare(
      Launch l, List<Integer> used, List<MemorySegment> actual, List<MemorySegment> expected) {
    for (int slot : written(l)) {
      int i = used.indexOf(slot);
      Slot s = schedule.slots().get(slot);
      long at = Difference.first(s.dtype(), actual.get(i), expected.get(i));
      if (at >= 0) {
        throw new ValidationException(
            "[validate] "
                + describe(l)
                + " differs from the interpreter on "
                + device.name()
                + ": element "
                + at
                + " of "
                + s.elements()
                + " "
                + s.dtype()
                + " is "
                + Difference.value(s.dtype(), actual.get(i), at)
                + ", expected "
                + Difference.value(s.dtype(), expected.get(i), at)
                + place(l));
      }
    }
  }

  private void checkNans(
      Launch l, List<Integer> used, List<MemorySegment> before, List<MemorySegment> after) {
    for (int slot : written(l)) {
      Slot s = schedule.slots().get(slot);
      long at = Difference.firstNan(s.dtype(), after.get(used.indexOf(slot)));
      if (at >= 0) {
        throw new ValidationException(
            "[nans] "
                + describe(l)
                + " made a NaN at element "
                + at
                + " of "
                + s.elements()
                + " "
                + s.dtype()
                + operands(l, used, before)
                + place(l));
      }
    }
  }

  private String operands(Launch l, List<Integer> used, List<MemorySegment> before) {
    List<Integer> written = written(l);
    for (int i = 0; i < used.size(); i++) {
      if (!written.contains(used.get(i))
          && Difference.firstNan(schedule.slots().get(used.get(i)).dtype(), before.get(i)) >= 0) {
        return "; an operand holds NaN already";
      }
    }
    return "; its operands hold none";
  }

  private static String describe(Launch l) {
    return "kernel " + l.label();
  }

  private static String place(Launch l) {
    return l.source().isEmpty() ? "" : "; at " + l.source();
  }

  @Override
  public synchronized void close() {
    onDevice.forEach(Executable::close);
    onReference.forEach(Executable::close);
    arena.values().forEach(Buffer::close);
  }
}
