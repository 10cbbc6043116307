package flows;

import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.internal.StaticCredentialsProvider;
import java.security.Security;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** The core of the AWS SDK for Android over a bad network. */
public final class AndroidRetries {
  private AndroidRetries() {}

  public static void main(String[] arguments) throws Exception {
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    StaticCredentialsProvider owner =
        new StaticCredentialsProvider(new BasicAWSCredentials(Gateway.KEY_ID, Gateway.SECRET));
    Network.runsOnceAtEveryCut(
        true,
        (endpoint, payload, key) -> {
          AndroidInvoker invoker = new AndroidInvoker(owner, endpoint);
          try {
            return invoker.invoke(Gateway.FUNCTION, null, payload, key).payload();
          } finally {
            invoker.shutdown();
          }
        });
    System.out.println("done");
  }
}
