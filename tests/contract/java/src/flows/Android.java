package flows;

import static flows.Gateway.identity;
import static flows.Gateway.same;
import static flows.Gateway.session;

import com.amazonaws.auth.AWSAbstractCognitoDeveloperIdentityProvider;
import com.amazonaws.auth.AWSSessionCredentials;
import com.amazonaws.auth.AnonymousAWSCredentials;
import com.amazonaws.auth.CognitoCachingCredentialsProvider;
import com.amazonaws.services.cognitoidentity.AmazonCognitoIdentityClient;
import com.amazonaws.services.securitytoken.AWSSecurityTokenServiceClient;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.services.cognitoidentity.CognitoIdentityClient;

/** An app with the AWS SDK for Android's credentials provider. */
public final class Android {
  private Android() {}

  public static void main(String[] arguments) {
    // The cryptography of Android itself.
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    guestSignsInAndIsRemembered();
    guestMeetsAnIdentityThatIsThere();
    basicFlow();
    developersOwnUsers();
    System.out.println("done");
  }

  private static AmazonCognitoIdentityClient identities() {
    AmazonCognitoIdentityClient client = new AmazonCognitoIdentityClient(new AnonymousAWSCredentials());
    client.setEndpoint(Gateway.ENDPOINT);
    return client;
  }

  private static AWSSecurityTokenServiceClient tokens() {
    AWSSecurityTokenServiceClient client =
        new AWSSecurityTokenServiceClient(new AnonymousAWSCredentials());
    client.setEndpoint(Gateway.ENDPOINT);
    return client;
  }

  /** The enhanced flow: roles are the pool's. */
  private static CognitoCachingCredentialsProvider app(Device device) {
    return new CognitoCachingCredentialsProvider(
        device, Gateway.ACCOUNT, Gateway.POOL, null, null, identities(), null);
  }

  /** As on a device that has never run it: what the SDK remembers is the whole process's. */
  private static CognitoCachingCredentialsProvider fresh(CognitoCachingCredentialsProvider app) {
    app.clear();
    return app;
  }

  private static AwsCredentials credentials(CognitoCachingCredentialsProvider app) {
    AWSSessionCredentials found = app.getCredentials();
    return session(found.getAWSAccessKeyId(), found.getAWSSecretKey(), found.getSessionToken());
  }

  private static void guestSignsInAndIsRemembered() {
    Device device = new Device();
    CognitoCachingCredentialsProvider app = app(device);
    String guest = app.getIdentityId();
    same(guest, identity(credentials(app)));
    String key = app.getCredentials().getAWSAccessKeyId();
    app.setLogins(Gateway.logins(5));
    same(guest, identity(credentials(app)));
    same(false, key.equals(app.getCredentials().getAWSAccessKeyId()));
    // The app starts again on the same device.
    CognitoCachingCredentialsProvider again = app(device);
    same(guest, again.getCachedIdentityId());
    again.setLogins(Gateway.logins(5));
    same(guest, identity(credentials(again)));
  }

  private static void guestMeetsAnIdentityThatIsThere() {
    CognitoCachingCredentialsProvider first = fresh(app(new Device()));
    first.setLogins(Gateway.logins(6));
    String user = identity(credentials(first));
    CognitoCachingCredentialsProvider second = fresh(app(new Device()));
    List<String> changes = new ArrayList<>();
    second.registerIdentityChangedListener((before, after) -> changes.add(before + " " + after));
    String guest = second.getIdentityId();
    second.setLogins(Gateway.logins(6));
    same(user, identity(credentials(second)));
    same(user, second.getIdentityId());
    same(List.of("null " + guest, guest + " " + user), changes);
  }

  /** Roles are the app's: an open id token is exchanged at STS. */
  private static void basicFlow() {
    CognitoCachingCredentialsProvider app =
        fresh(
            new CognitoCachingCredentialsProvider(
                new Device(), Gateway.ACCOUNT, Gateway.POOL, null, Gateway.ROLE, identities(), tokens()));
    app.setLogins(Gateway.logins(7));
    same(app.getIdentityId(), identity(credentials(app)));
  }

  private static void developersOwnUsers() {
    try (CognitoIdentityClient owner =
        Gateway.client(CognitoIdentityClient.builder(), Gateway.OWNER)) {
      var provider =
          new AWSAbstractCognitoDeveloperIdentityProvider(Gateway.ACCOUNT, Gateway.POOL, identities()) {
            @Override
            public String getProviderName() {
              return Gateway.DEVELOPER;
            }

            /** The app asks its own server, which asks the gateway. */
            @Override
            public String refresh() {
              setToken(null);
              var answer =
                  owner.getOpenIdTokenForDeveloperIdentity(
                      ask ->
                          ask.identityPoolId(Gateway.POOL)
                              .logins(Map.of(Gateway.DEVELOPER, "joan")));
              update(answer.identityId(), answer.token());
              return answer.token();
            }

            @Override
            public String getIdentityId() {
              if (identityId == null) {
                refresh();
              }
              return identityId;
            }
          };
      CognitoCachingCredentialsProvider app =
          fresh(
              new CognitoCachingCredentialsProvider(
                  new Device(), provider, null, Gateway.ROLE, tokens()));
      app.setLogins(Map.of(Gateway.DEVELOPER, "joan"));
      same(app.getIdentityId(), identity(credentials(app)));
    }
  }
}
