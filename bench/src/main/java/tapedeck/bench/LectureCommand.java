package tapedeck.bench;

@picocli.CommandLine.Command(name = "lecture")
final class LectureCommand implements Runnable {
  @Override
  public void run() {}
}
