package flows;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A bad network: tests/tools/fault_proxy.py, whose Invokes get these cuts, one after the other. */
final class Network {
  private static final List<String> CUTS =
      List.of(
          "none", "before-request", "in-request", "before-answer", "leave", "in-answer", "after-answer");

  private final Process process;
  private final BufferedReader said;
  final String endpoint;

  /** How a flow calls a function: by an endpoint, with an Idempotency-Key if there is one. */
  interface Way {
    String invoke(String endpoint, String payload, String keyOrNull) throws Exception;
  }

  private Network(String... cuts) throws IOException {
    List<String> command = new ArrayList<>(List.of("python3", Given.named("CALLGATE_FAULT_PROXY")));
    command.addAll(List.of("--to", URI.create(Given.ENDPOINT).getAuthority()));
    command.addAll(List.of("--match", "/invocations", "--until-eof"));
    for (String cut : cuts) {
      command.addAll(List.of("--cut", cut));
    }
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    said = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    endpoint = "http://127.0.0.1:" + said.readLine();
  }

  /** How many requests came, of which so many are waited for: the proxy tells of one when it is through with it. */
  private long requests(int wanted) throws IOException {
    for (int request = 0; request < wanted; request++) {
      if (said.readLine() == null) {
        return request;
      }
    }
    process.getOutputStream().close();
    return wanted + said.lines().count();
  }

  /**
   * A call at each cut, without a key and perhaps with one: it must have run once, and its answer be that of the one run.
   *
   * @param keys whether the SDK can sign an Idempotency-Key
   */
  static void runsOnceAtEveryCut(boolean keys, Way way) throws Exception {
    runsOnceAt(CUTS, keys, way);
  }

  /** The same at these cuts. */
  static void runsOnceAt(List<String> cuts, boolean keys, Way way) throws Exception {
    for (boolean withKey : keys ? new boolean[] {false, true} : new boolean[] {false}) {
      for (String cut : cuts) {
        String call = UUID.randomUUID().toString();
        String where = cut + (withKey ? " with a key" : "");
        Network network = new Network(cut);
        String payload = "{\"call\":\"" + call + "\",\"wait\":50,\"pad\":10000}";
        String answer = way.invoke(network.endpoint, payload, withKey ? call : null);
        Given.same(where + " true", where + " " + answer.contains("\"runs\":1,"));
        int wanted = cut.equals("none") || cut.equals("after-answer") ? 1 : 2;
        Given.same(where + " " + wanted, where + " " + network.requests(wanted));
        Given.same(where + " 1", where + " " + runs(way, call));
      }
    }
  }

  /** How often this call ran, as the function itself counts. */
  static String runs(Way way, String call) throws Exception {
    return way.invoke(Given.ENDPOINT, "{\"ask\":\"" + call + "\"}", null);
  }

  /** How often a call runs that this SDK sends over a network with this cut. */
  static String runsAt(String cut, Way way, String call, String keyOrNull) throws Exception {
    Network network = new Network(cut);
    way.invoke(network.endpoint, "{\"call\":\"" + call + "\",\"wait\":50}", keyOrNull);
    Given.same(2L, network.requests(2));
    return runs(way, call);
  }
}
