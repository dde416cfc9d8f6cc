package tapedeck.bench;

@picocli.CommandLine.Command(name = "bundle")
final class BundleCommand implements Runnable {
  @Override
  public void run() {}
}
