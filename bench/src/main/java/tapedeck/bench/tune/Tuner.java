package tapedeck.bench.tune;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.type.DeviceException;
import tapedeck.bench.report.Samples;
import tapedeck.bench.report.Stats;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;
import tapedeck.opencl.tuning.TuningEntry;

/**
 * Tunes the templates of a device one after the other. A candidate is first checked for its result
 * and then timed in turns with the parameters in force, so that what disturbs the machine disturbs
 * both. The best ones are timed again, longer; one is chosen only if it is faster there too.
 */
public final class Tuner {
  private static final int PAIRS = 5;
  private static final int FINAL_PAIRS = 21;

  /** Early stop: after two pairs, a candidate this much slower than the best is given up. */
  private static final double CLEARLY = 1.25;

  /** What is chosen must be faster by more than this, and in so many of the final rounds. */
  private static final double GAIN = 0.97;

  private static final double WINS = 0.75;

  /** No single work may become slower than this for the sake of the others. */
  private static final double WORST = 1.05;

  /** Part of a template's time that is kept for the final measurement. */
  private static final double FINAL = 0.15;

  /** What became of the candidates. */
  public static final class Counts {
    private int timed;
    private int same;
    private int stopped;
    private int failed;
    private int wrong;

    /** Candidates that were timed to the end. */
    public int timed() {
      return timed;
    }

    /** Candidates whose kernels were those of one known already. */
    public int same() {
      return same;
    }

    /** Candidates that were given up as clearly slower. */
    public int stopped() {
      return stopped;
    }

    /** Candidates that did not build or run. */
    public int failed() {
      return failed;
    }

    /** Candidates with a wrong result, which a renderer must not have. */
    public int wrong() {
      return wrong;
    }
  }

  /**
   * The outcome for a template.
   *
   * @param before parameters that were in force
   * @param after chosen parameters; the same where nothing was faster
   * @param possible number of possible parameters
   * @param tried how many of them were asked for
   * @param rivals what got as far as the final measurement, the chosen one last
   */
  public record Outcome(
      Parameters before,
      Parameters after,
      int possible,
      int tried,
      Counts counts,
      List<Rival> rivals) {

    /** Whether something faster was found. */
    public boolean faster() {
      return !before.equals(after);
    }

    /** For each work the samples of the chosen parameters; none where nothing was faster. */
    public List<TuningEntry.Measurement> samples() {
      return faster() ? rivals.getLast().samples() : List.of();
    }
  }

  /**
   * Parameters in the final measurement.
   *
   * @param ratio their time over that of what was in force: geometric mean over the work
   * @param worst the largest such ratio of a single work
   * @param wins part of the rounds in which the work as a whole was faster with them
   * @param samples those of each work, with what was in force and with these parameters
   */
  public record Rival(
      Parameters parameters,
      double ratio,
      double worst,
      double wins,
      List<TuningEntry.Measurement> samples) {
    boolean faster() {
      return ratio <= GAIN && wins >= WINS && worst <= WORST;
    }
  }

  private record Pairs(List<Double> before, List<Double> after) {
    double ratio() {
      double[] r = new double[before.size()];
      for (int i = 0; i < r.length; i++) {
        r[i] = after.get(i) / before.get(i);
      }
      return Stats.median(r);
    }

    /** The same from the least samples: what disturbs the machine only ever adds time. */
    double least() {
      return Collections.min(after) / Collections.min(before);
    }

    /** Logarithm of the ratio of one round. */
    double log(int round) {
      return Math.log(after.get(round) / before.get(round));
    }
  }

  private final Supplier<Device> opener;
  private final Consumer<String> progress;
  private final boolean small;
  private final long seed;

  /**
   * A tuner.
   *
   * @param opener opens the device anew; what it gives is closed here
   * @param small work that ends quickly, for trying things out
   * @param seed of the order in which candidates are tried
   * @param progress is told each candidate
   */
  public Tuner(Supplier<Device> opener, boolean small, long seed, Consumer<String> progress) {
    this.opener = opener;
    this.small = small;
    this.seed = seed;
    this.progress = progress;
  }

  /**
   * Tunes the templates for some kinds of work.
   *
   * @param seconds time for all searches together; what is begun is ended, and preparing the work
   *     does not count
   */
  public Map<Template, Outcome> run(Set<Works.Kind> kinds, double seconds) {
    Tuning tuning;
    List<Template> templates;
    int units;
    try (Rig rig = new Rig(opener, List.of())) {
      tuning = rig.tunable().tuning();
      units = rig.device().info().computeUnits();
      templates = Works.templates(rig.tunable().hardware().profile(), kinds);
    }
    // What one template leaves of its time goes to the next; none can take another's.
    double unused = 0;
    Map<Template, Outcome> out = new EnumMap<>(Template.class);
    for (int i = 0; i < templates.size(); i++) {
      double share = seconds / templates.size() + unused;
      Template t = templates.get(i);
      try (Session s = new Session(tuning, Works.of(t, units, small), t)) {
        long start = System.nanoTime();
        Outcome o = s.run(start + (long) (1e9 * (1 - FINAL) * share));
        unused = Math.max(0, share - 1e-9 * (System.nanoTime() - start));
        out.put(t, o);
        // Later templates are tuned with what was found for earlier ones.
        tuning = tuning.with(o.after());
      }
    }
    return out;
  }

  /** One template being tuned. */
  private final class Session implements AutoCloseable {
    private final Tuning tuning;
    private final Template template;
    private final List<Work> works;
    private final Counts counts = new Counts();
    private final Map<List<String>, OptionalDouble> known = new HashMap<>();
    private final List<Executable> baseline = new ArrayList<>();
    private final Hardware hardware;
    private Rig rig;

    Session(Tuning tuning, List<Work> works, Template template) {
      this.tuning = tuning;
      this.works = works;
      this.template = template;
      this.rig = new Rig(opener, works);
      try {
        this.hardware = rig.tunable().hardware();
        prepare();
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    /** Compiles and checks what is in force. */
    private void prepare() {
      for (Work w : works) {
        Executable e = rig.compile(w, tuning);
        baseline.add(e);
        if (!rig.isRight(w, e)) {
          throw new DeviceException(
              "[tune] "
                  + w.name()
                  + " is wrong on "
                  + rig.device().name()
                  + " with the parameters in force ("
                  + tuning.get(template)
                  + "); see ./tapedeck selfcheck");
        }
        rig.sample(w, e);
      }
      known.put(rig.kernels(tuning), OptionalDouble.of(1));
    }

    Outcome run(long searchEnd) {
      Parameters before = tuning.get(template);
      Search.Result found =
          Search.run(before, hardware, this::cost, () -> System.nanoTime() >= searchEnd, seed);
      List<Rival> rivals = new ArrayList<>();
      Parameters after = before;
      for (Search.Found f : found.best()) {
        List<Pairs> pairs = confirm(f.parameters());
        if (pairs.isEmpty()) {
          continue;
        }
        Rival rival =
            new Rival(
                f.parameters(),
                mean(pairs, Pairs::ratio),
                pairs.stream().mapToDouble(Pairs::ratio).max().orElse(1),
                wins(pairs),
                measurements(pairs));
        rivals.add(rival);
        if (rival.faster()) {
          after = f.parameters();
          break;
        }
      }
      return new Outcome(
          before, after, found.possible(), found.tried(), counts, List.copyOf(rivals));
    }

    private List<TuningEntry.Measurement> measurements(List<Pairs> pairs) {
      List<TuningEntry.Measurement> out = new ArrayList<>();
      for (int i = 0; i < works.size(); i++) {
        out.add(
            new TuningEntry.Measurement(
                template.label(),
                works.get(i).name(),
                pairs.get(i).before(),
                pairs.get(i).after()));
      }
      return out;
    }

    /** Part of the rounds in which the work as a whole was faster, by the geometric mean. */
    private static double wins(List<Pairs> pairs) {
      int rounds = pairs.getFirst().before().size();
      long won =
          IntStream.range(0, rounds)
              .filter(j -> pairs.stream().mapToDouble(p -> p.log(j)).sum() < 0)
              .count();
      return (double) won / rounds;
    }

    private static double mean(List<Pairs> pairs, ToDoubleFunction<Pairs> ratio) {
      return Math.exp(
          pairs.stream().mapToDouble(p -> Math.log(ratio.applyAsDouble(p))).average().orElse(0));
    }

    private OptionalDouble cost(Parameters candidate, double bound) {
      Tuning with = tuning.with(candidate);
      List<String> kernels = rig.kernels(with);
      OptionalDouble same = known.get(kernels);
      if (same != null) {
        counts.same++;
        return same;
      }
      progress.accept(template.label() + ": " + candidate);
      OptionalDouble c = OptionalDouble.empty();
      try {
        List<Pairs> pairs = pairs(with, PAIRS, bound);
        if (!pairs.isEmpty()) {
          c = OptionalDouble.of(mean(pairs, Pairs::least));
          counts.timed++;
        }
      } catch (DeviceException e) {
        counts.failed++;
        reopen();
      }
      known.put(kernels, c);
      return c;
    }

    private List<Pairs> confirm(Parameters candidate) {
      progress.accept(template.label() + ", once more: " + candidate);
      try {
        return pairs(tuning.with(candidate), FINAL_PAIRS, Double.POSITIVE_INFINITY);
      } catch (DeviceException e) {
        counts.failed++;
        reopen();
        return List.of();
      }
    }

    /** Samples in turns for each work; nothing where the candidate is wrong or was given up. */
    private List<Pairs> pairs(Tuning with, int n, double bound) {
      List<Pairs> out = new ArrayList<>();
      for (int i = 0; i < works.size(); i++) {
        Work w = works.get(i);
        try (Executable e = rig.compile(w, with)) {
          if (!rig.isRight(w, e)) {
            counts.wrong++;
            return List.of();
          }
          Samples before = new Samples();
          Samples after = new Samples();
          double least = Double.POSITIVE_INFINITY;
          for (int j = 0; j < n; j++) {
            before.add(rig.sample(w, baseline.get(i)));
            after.add(rig.sample(w, e));
            least = Math.min(least, after.values()[j] / before.values()[j]);
            if (j == 1 && least > CLEARLY * bound) {
              counts.stopped++;
              return List.of();
            }
          }
          out.add(new Pairs(list(before), list(after)));
        }
      }
      return out;
    }

    private static List<Double> list(Samples s) {
      return java.util.Arrays.stream(s.values()).boxed().toList();
    }

    /** A kernel that failed may have left the device's context unusable. */
    private void reopen() {
      close();
      rig = new Rig(opener, works);
      prepare();
    }

    @Override
    public void close() {
      baseline.forEach(Executable::close);
      baseline.clear();
      rig.close();
    }
  }
}
