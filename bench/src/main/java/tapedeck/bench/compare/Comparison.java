package tapedeck.bench.compare;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.Ad;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tensor.Tensor;
import tapedeck.bench.model.Spinning;
import tapedeck.bench.model.WarmUp;
import tapedeck.bench.peers.PeerProcess;
import tapedeck.bench.peers.PeerProcess.Failure;
import tapedeck.bench.peers.Peers;
import tapedeck.bench.report.Stats;
import tapedeck.bench.work.KernelCost;
import tapedeck.bench.work.KernelTimes;
import tapedeck.bench.work.Limits;
import tapedeck.bench.work.Line;
import tapedeck.bench.work.Workload;

/**
 * Measures workloads on devices and peers in turns, so that what disturbs the machine for a while
 * disturbs all alike, and compares their results.
 */
public final class Comparison implements AutoCloseable {
  private static final double SAMPLE_SECONDS = 0.05;
  private static final int MOST_REPETITIONS = 200;
  private static final int LEAST_SAMPLES = 3;

  /**
   * How to measure.
   *
   * @param samples of each function in each place
   * @param warmUpSeconds before them, of each
   * @param limitSeconds for the samples of one function in one place; slow ones get fewer, but not
   *     fewer than three
   * @param kernels whether each kernel is timed too
   */
  public record Settings(int samples, double warmUpSeconds, double limitSeconds, boolean kernels) {

    /** Samples of a function of which one takes some seconds. */
    int samples(double seconds) {
      return (int) Math.min(samples, Math.max(LEAST_SAMPLES, limitSeconds / seconds));
    }
  }

  private final List<String> devices;
  private final Map<Measured.Cost, List<KernelCost>> costs = new IdentityHashMap<>();
  private final Settings settings;
  private final PrintWriter out;
  private final List<PeerProcess> peers = new ArrayList<>();
  private final Report report;

  public Comparison(List<String> devices, Settings settings, Report report, PrintWriter out) {
    this.devices = List.copyOf(devices);
    this.settings = settings;
    this.report = report;
    this.out = out;
  }

  /** Starts peers; one that does not start leaves a line in the report. */
  public void startPeers(List<Peers> wanted, String python, int threads, Path data) {
    for (Peers p : wanted) {
      try {
        PeerProcess process = p.start(python, threads, data, false);
        peers.add(process);
        report.peers.put(p.label(), process.version());
      } catch (Failure e) {
        unable(p.label(), e);
      }
    }
  }

  private void unable(String what, Failure e) {
    String note = what + ": " + e.getMessage();
    report.notes.add(note);
    out.println("left out: " + note);
    out.flush();
  }

  /** One function in one place. */
  private interface Place {
    String on();

    boolean tapedeck();

    double run(int repetitions) throws Failure;

    double[] result() throws Failure;

    Optional<Measured.Cost> cost();
  }

  private final class OnDevice implements Place {
    private final Device device;
    private final Line line;

    OnDevice(String name, Line line) {
      this.device = Devices.open(name);
      this.line = line;
    }

    @Override
    public String on() {
      return device.name();
    }

    @Override
    public boolean tapedeck() {
      return true;
    }

    @Override
    public double run(int repetitions) {
      return Ad.onDevice(
          device.name(),
          () -> {
            long start = System.nanoTime();
            for (int i = 0; i < repetitions; i++) {
              line.once();
            }
            device.synchronize();
            return (System.nanoTime() - start) * 1e-9 / repetitions;
          });
    }

    @Override
    public double[] result() {
      return Ad.onDevice(device.name(), () -> line.values().get());
    }

    @Override
    public Optional<Measured.Cost> cost() {
      Schedule s = line.schedule().get();
      List<KernelCost> kernels = s.launches().stream().map(l -> KernelCost.of(l.kernel())).toList();
      Measured.Cost cost =
          new Measured.Cost(
              kernels.size(),
              kernels.stream().mapToLong(KernelCost::bytes).sum(),
              kernels.stream().mapToDouble(KernelCost::operations).sum(),
              0,
              s.arenaBytes(),
              s.liveBytes());
      costs.put(cost, kernels);
      return Optional.of(cost);
    }
  }

  private record OnPeer(PeerProcess peer, String line) implements Place {
    @Override
    public String on() {
      return peer.name();
    }

    @Override
    public boolean tapedeck() {
      return false;
    }

    @Override
    public double run(int repetitions) throws Failure {
      return peer.run(line, repetitions);
    }

    @Override
    public double[] result() throws Failure {
      return peer.result(line);
    }

    @Override
    public Optional<Measured.Cost> cost() {
      return Optional.empty();
    }
  }

  /** Measures all functions of a workload. */
  public void measure(Workload w) {
    Map<String, HostData> opened = new LinkedHashMap<>();
    // A peer that lacks functions says so once and not for each.
    Map<String, List<String>> lacking = new LinkedHashMap<>();
    try {
      for (String d : devices) {
        opened.put(d, new HostData(d, w));
      }
      int count = opened.values().iterator().next().lines.size();
      for (int i = 0; i < count; i++) {
        List<Place> places = new ArrayList<>();
        for (HostData h : opened.values()) {
          places.add(new OnDevice(h.device, h.lines.get(i)));
        }
        Line first = opened.values().iterator().next().lines.get(i);
        for (PeerProcess p : peers) {
          try {
            p.prepare(first.name());
            places.add(new OnPeer(p, first.name()));
          } catch (Failure e) {
            lacking
                .computeIfAbsent(p.name() + ": " + e.getMessage(), _ -> new ArrayList<>())
                .add(first.name());
          }
        }
        measure(first, places);
        if (settings.kernels) {
          opened.values().forEach(h -> kernels(h.device, first.name(), h.lines, places));
        }
      }
    } finally {
      opened.values().forEach(HostData::close);
    }
    lacking.forEach((why, lines) -> report.notes.add(why + " (" + String.join(", ", lines) + ")"));
  }

  /** A workload's operands and functions on a device. */
  private static final class HostData implements AutoCloseable {
    final String device;
    final List<Line> lines;
    private final List<Tensor> operands = new ArrayList<>();

    HostData(String device, Workload w) {
      this.device = device;
      var data = w.data();
      this.lines =
          Ad.onDevice(
              device,
              () ->
                  w.lines(
                      name -> {
                        Tensor t = data.get(name).tensor();
                        operands.add(t);
                        return t;
                      }));
    }

    @Override
    public void close() {
      operands.forEach(Tensor::close);
    }
  }

  private void measure(Line line, List<Place> all) {
    List<Place> places = new ArrayList<>();
    List<Integer> repetitions = new ArrayList<>();
    List<double[]> samples = new ArrayList<>();
    Map<String, Double> errors = new LinkedHashMap<>();
    double[] expected = null;
    for (Place p : all) {
      try {
        double[] r = p.result();
        if (expected == null) {
          expected = r;
        } else {
          errors.put(p.on(), check(line, p, r, expected));
        }
        double best = WarmUp.least(settings.warmUpSeconds, 0.1 * SAMPLE_SECONDS, p::run);
        int n = Math.clamp((long) (SAMPLE_SECONDS / best), 1, MOST_REPETITIONS);
        repetitions.add(n);
        places.add(p);
        samples.add(new double[settings.samples(n * best)]);
        if (!p.tapedeck()) {
          Spinning.waitOut();
        }
      } catch (Failure e) {
        unable(line.name() + " in " + p.on(), e);
      }
    }
    boolean[] failed = new boolean[places.size()];
    for (int s = 0; s < settings.samples; s++) {
      for (int i = 0; i < failed.length; i++) {
        Place p = places.get(i);
        try {
          if (!failed[i] && s < samples.get(i).length) {
            samples.get(i)[s] = p.run(repetitions.get(i));
            if (!p.tapedeck()) {
              Spinning.waitOut();
            }
          }
        } catch (Failure e) {
          unable(line.name() + " in " + p.on(), e);
          failed[i] = true;
        }
      }
    }
    for (int i = 0; i < failed.length; i++) {
      Place p = places.get(i);
      if (!failed[i]) {
        report.lines.add(
            new Measured(
                line.name(),
                p.on(),
                p.tapedeck(),
                samples.get(i),
                p.cost(),
                Optional.ofNullable(errors.get(p.on()))));
      }
    }
    out.printf("measured %s%n", line.name());
    out.flush();
  }

  private double check(Line line, Place p, double[] found, double[] expected) {
    if (found.length != expected.length) {
      report.differs.add(
          line.name()
              + " on "
              + p.on()
              + " has "
              + found.length
              + " numbers, not "
              + expected.length);
      return Double.NaN;
    }
    double error = Stats.normwiseError(found, expected);
    // NaN is a difference too.
    if (!(error <= line.tolerance())) {
      report.differs.add(String.format("%s on %s differs by %.1e", line.name(), p.on(), error));
    }
    return error;
  }

  private void kernels(String device, String name, List<Line> lines, List<Place> places) {
    Line line = lines.stream().filter(l -> l.name().equals(name)).findFirst().orElseThrow();
    if (places.stream().noneMatch(p -> p.on().equals(device))) {
      return;
    }
    Schedule s = line.schedule().get();
    KernelTimes.Times t = KernelTimes.measure(Devices.open(device), s);
    for (int k = 0; k < s.launches().size(); k++) {
      KernelCost c = KernelCost.of(s.launches().get(k).kernel());
      report.kernels.add(
          new Report.Kernel(
              name, device, k, s.launches().get(k).label(), t.source(), t.seconds()[k], c, 0));
    }
  }

  /**
   * Enters the least times by the limits of the devices. These are known best at the end: other
   * work on the machine can hide them at any one time.
   */
  public void bounds(Map<String, Limits> limits) {
    report.lines.replaceAll(
        m -> {
          List<KernelCost> kernels = m.cost().map(costs::get).orElse(null);
          return kernels == null ? m : m.bound(KernelCost.bound(kernels, limits.get(m.on())));
        });
    report.kernels.replaceAll(k -> k.bound(limits.get(k.on()).seconds(k.cost())));
  }

  @Override
  public void close() {
    peers.forEach(PeerProcess::close);
  }
}
