package flows;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.InvokeResponse;

/** The gateway that the test started, and what every flow does with it. */
final class Gateway extends Given {
  static final AwsCredentials OWNER =
      AwsBasicCredentials.create(KEY_ID, SECRET);

  private Gateway() {}

  static <B extends AwsClientBuilder<B, C>, C> C client(B builder, AwsCredentials credentials) {
    return builder
        .endpointOverride(URI.create(ENDPOINT))
        .region(Region.of(REGION))
        .credentialsProvider(StaticCredentialsProvider.create(credentials))
        .build();
  }

  /** What the function saw of this caller. */
  static JsonObject saw(AwsCredentials credentials) {
    String device = "{\"client\":{\"app_package_name\":\"com.example\"},\"custom\":{\"größe\":\"1\"}}";
    try (LambdaClient functions = client(LambdaClient.builder(), credentials)) {
      InvokeResponse answer =
          functions.invoke(
              call ->
                  call.functionName(FUNCTION)
                      .clientContext(
                          Base64.getEncoder()
                              .encodeToString(device.getBytes(StandardCharsets.UTF_8)))
                      .payload(SdkBytes.fromUtf8String("{\"name\":\"Ünal\"}")));
      same(null, answer.functionError());
      JsonObject saw = JsonParser.parseString(answer.payload().asUtf8String()).getAsJsonObject();
      same(JsonParser.parseString("{\"name\":\"Ünal\"}"), saw.get("event"));
      same(JsonParser.parseString(device), saw.get("clientContext"));
      return saw;
    }
  }

  /** The identity that the function saw, which belongs to the pool. */
  static String identity(AwsCredentials credentials) {
    JsonObject identity = saw(credentials).getAsJsonObject("identity");
    same(POOL, identity.get("cognitoIdentityPoolId").getAsString());
    return identity.get("cognitoIdentityId").getAsString();
  }

  static AwsCredentials session(String keyId, String secret, String token) {
    return AwsSessionCredentials.create(keyId, secret, token);
  }
}
