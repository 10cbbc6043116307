package flows;

import java.net.URI;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.lambda.LambdaAsyncClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.InvokeRequest;

/** The AWS SDK for Java v2 over a bad network, the client that waits and the one that does not. */
public final class Java2Retries {
  private Java2Retries() {}

  public static void main(String[] arguments) throws Exception {
    Network.runsOnceAtEveryCut(true, Java2Retries::waits);
    Network.runsOnceAtEveryCut(true, Java2Retries::goesOn);
    System.out.println("done");
  }

  private static <B extends AwsClientBuilder<B, C>, C> C client(B builder, String endpoint) {
    return builder
        .endpointOverride(URI.create(endpoint))
        .region(Region.of(Gateway.REGION))
        .credentialsProvider(StaticCredentialsProvider.create(Gateway.OWNER))
        .build();
  }

  private static InvokeRequest request(String payload, String key) {
    return InvokeRequest.builder()
        .functionName(Gateway.FUNCTION)
        .payload(SdkBytes.fromUtf8String(payload))
        .overrideConfiguration(
            more -> {
              if (key != null) {
                more.putHeader("Idempotency-Key", key);
              }
            })
        .build();
  }

  private static String waits(String endpoint, String payload, String key) {
    try (LambdaClient client = client(LambdaClient.builder(), endpoint)) {
      return client.invoke(request(payload, key)).payload().asUtf8String();
    }
  }

  private static String goesOn(String endpoint, String payload, String key) {
    try (LambdaAsyncClient client = client(LambdaAsyncClient.builder(), endpoint)) {
      return client.invoke(request(payload, key)).join().payload().asUtf8String();
    }
  }
}
