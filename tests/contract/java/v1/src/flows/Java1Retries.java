package flows;

import com.amazonaws.services.lambda.AWSLambdaClient;
import com.amazonaws.services.lambda.model.InvokeRequest;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** The AWS SDK for Java v1 over a bad network: with the argument "2015", the one that sends no id with its attempts. */
public final class Java1Retries {
  private Java1Retries() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      Network.runsOnceAtEveryCut(true, Java1Retries::invoke);
    } else {
      // Each request is a call of its own, so a retry runs again; a key of the app's own prevents it.
      String call = UUID.randomUUID().toString();
      Given.same("2", Network.runsAt("before-answer", Java1Retries::invoke, call, null));
      String keyed = UUID.randomUUID().toString();
      Given.same("1", Network.runsAt("before-answer", Java1Retries::invoke, keyed, keyed));
    }
    System.out.println("done");
  }

  private static String invoke(String endpoint, String payload, String key) {
    AWSLambdaClient client = Java1.owner();
    client.setEndpoint(endpoint);
    InvokeRequest request =
        new InvokeRequest().withFunctionName(Given.FUNCTION).withPayload(payload);
    if (key != null) {
      request.putCustomRequestHeader("Idempotency-Key", key);
    }
    try {
      return StandardCharsets.UTF_8.decode(client.invoke(request).getPayload()).toString();
    } finally {
      client.shutdown();
    }
  }
}
