package flows;

import com.amazonaws.AmazonServiceException;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.internal.StaticCredentialsProvider;
import java.security.Security;
import java.util.List;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** The core of the AWS SDK for Android over a bad network. It signs `host` and `x-amz-…` alone, so it has no keys of an app's own. */
public final class AndroidRetries {
  private AndroidRetries() {}

  public static void main(String[] arguments) throws Exception {
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    StaticCredentialsProvider owner =
        new StaticCredentialsProvider(new BasicAWSCredentials(Gateway.KEY_ID, Gateway.SECRET));
    Network.Way way =
        (endpoint, payload, key) -> {
          AndroidInvoker invoker = new AndroidInvoker(owner, endpoint);
          try {
            return invoker.invoke(Gateway.FUNCTION, null, payload, key).payload();
          } finally {
            invoker.shutdown();
          }
        };
    // A JVM's HttpURLConnection, unlike Android's, takes half an answer for a whole one: that cut shows nothing here.
    Network.runsOnceAt(
        List.of("none", "before-request", "in-request", "before-answer", "leave", "after-answer"),
        false,
        way);
    try {
      way.invoke(Gateway.ENDPOINT, "{}", "an-unsigned-key");
      throw new AssertionError("was not refused");
    } catch (AmazonServiceException refused) {
      Gateway.same("InvalidSignatureException", refused.getErrorCode());
    }
    System.out.println("done");
  }
}
