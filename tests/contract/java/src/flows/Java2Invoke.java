package flows;

import static flows.Gateway.client;
import static flows.Gateway.refused;
import static flows.Gateway.same;
import static flows.Gateway.session;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.cognitoidentity.CognitoIdentityClient;
import software.amazon.awssdk.services.cognitoidentity.model.Credentials;
import software.amazon.awssdk.services.lambda.LambdaAsyncClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.InvocationType;
import software.amazon.awssdk.services.lambda.model.InvokeRequest;
import software.amazon.awssdk.services.lambda.model.InvokeResponse;
import software.amazon.awssdk.services.lambda.model.LambdaException;
import software.amazon.awssdk.services.lambda.model.LogType;
import software.amazon.awssdk.services.lambda.model.ResourceNotFoundException;

/** Calls with the AWS SDK for Java v2, the client that waits and the one that does not. */
public final class Java2Invoke {
  private static final String DEVICE =
      "{\"client\":{\"installation_id\":\"7\",\"app_title\":\"Größtes Spiel\"},"
          + "\"env\":{\"platform\":\"Android\",\"locale\":\"de_DE\"},\"custom\":{\"level\":\"4\"}}";

  /** How a call is made: by the one client, or by the other. */
  private interface Way {
    InvokeResponse invoke(Consumer<InvokeRequest.Builder> request);
  }

  private Java2Invoke() {}

  public static void main(String[] arguments) {
    AwsCredentials guest = guest();
    try (LambdaClient waits = client(LambdaClient.builder(), guest);
        LambdaAsyncClient goesOn = client(LambdaAsyncClient.builder(), guest);
        LambdaClient owner = client(LambdaClient.builder(), Gateway.OWNER);
        LambdaAsyncClient ownerGoesOn = client(LambdaAsyncClient.builder(), Gateway.OWNER)) {
      calls(waits::invoke, owner::invoke);
      calls(awaited(goesOn), awaited(ownerGoesOn));
      manyAtOnce(goesOn);
    }
    System.out.println("done");
  }

  private static AwsCredentials guest() {
    try (CognitoIdentityClient device =
        CognitoIdentityClient.builder()
            .endpointOverride(java.net.URI.create(Gateway.ENDPOINT))
            .region(software.amazon.awssdk.regions.Region.of(Gateway.REGION))
            .credentialsProvider(AnonymousCredentialsProvider.create())
            .build()) {
      String id = device.getId(ask -> ask.identityPoolId(Gateway.POOL)).identityId();
      Credentials found = device.getCredentialsForIdentity(ask -> ask.identityId(id)).credentials();
      return session(found.accessKeyId(), found.secretKey(), found.sessionToken());
    }
  }

  /** The exception itself, as whoever waits sees it. */
  private static Way awaited(LambdaAsyncClient client) {
    return request -> {
      try {
        return client.invoke(request).join();
      } catch (CompletionException wrapped) {
        throw (RuntimeException) wrapped.getCause();
      }
    };
  }

  private static SdkBytes json(Object value) {
    return SdkBytes.fromUtf8String(new Gson().toJson(value));
  }

  private static void calls(Way guest, Way owner) {
    InvokeResponse answer =
        guest.invoke(
            call ->
                call.functionName(Gateway.FUNCTION)
                    .clientContext(
                        Base64.getEncoder()
                            .encodeToString(DEVICE.getBytes(StandardCharsets.UTF_8)))
                    .payload(json(Map.of("name", "Ünal"))));
    same(200, answer.statusCode());
    same("$LATEST", answer.executedVersion());
    JsonObject saw = JsonParser.parseString(answer.payload().asUtf8String()).getAsJsonObject();
    same(JsonParser.parseString(DEVICE), saw.get("clientContext"));
    same("Ünal", saw.getAsJsonObject("event").get("name").getAsString());

    InvokeResponse logged =
        guest.invoke(
            call -> call.functionName("scores").logType(LogType.TAIL).payload(json(Map.of("points", 1))));
    String log = new String(Base64.getDecoder().decode(logged.logResult()), StandardCharsets.UTF_8);
    same(true, log.contains("REPORT RequestId: "));

    InvokeResponse failed = guest.invoke(call -> call.functionName("fails").payload(json("too late")));
    same("Unhandled", failed.functionError());
    JsonObject error = JsonParser.parseString(failed.payload().asUtf8String()).getAsJsonObject();
    same("RangeError", error.get("errorType").getAsString());

    same(
        204,
        guest
            .invoke(call -> call.functionName("scores").invocationType(InvocationType.DRY_RUN))
            .statusCode());
    LambdaException denied =
        refused(LambdaException.class, () -> guest.invoke(call -> call.functionName("closed")));
    same(403, denied.statusCode());
    same("AccessDeniedException", denied.awsErrorDetails().errorCode());
    refused(
        ResourceNotFoundException.class,
        () -> owner.invoke(call -> call.functionName("not-there")));
  }

  /** Each of many calls under way at once gets its own answer. */
  private static void manyAtOnce(LambdaAsyncClient client) {
    List<CompletableFuture<InvokeResponse>> underWay = new ArrayList<>();
    Set<Integer> wanted = new HashSet<>();
    for (int call = 0; call < 20; call++) {
      SdkBytes payload = json(call);
      wanted.add(call);
      underWay.add(client.invoke(request -> request.functionName("echoes").payload(payload)));
    }
    Set<Integer> answered = new HashSet<>();
    for (int call = 0; call < underWay.size(); call++) {
      int answer = Integer.parseInt(underWay.get(call).join().payload().asUtf8String());
      same(call, answer);
      answered.add(answer);
    }
    same(wanted, answered);
  }
}
