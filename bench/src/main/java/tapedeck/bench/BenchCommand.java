package tapedeck.bench;

@picocli.CommandLine.Command(name = "bench")
final class BenchCommand implements Runnable {
  @Override
  public void run() {}
}
