package flows;

import static flows.Gateway.client;
import static flows.Gateway.identity;
import static flows.Gateway.refused;
import static flows.Gateway.same;
import static flows.Gateway.saw;
import static flows.Gateway.session;

import java.util.Map;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.services.cognitoidentity.CognitoIdentityClient;
import software.amazon.awssdk.services.cognitoidentity.model.Credentials;
import software.amazon.awssdk.services.cognitoidentity.model.GetOpenIdTokenForDeveloperIdentityResponse;
import software.amazon.awssdk.services.cognitoidentity.model.NotAuthorizedException;
import software.amazon.awssdk.services.cognitoidentity.model.ResourceConflictException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.AssumeRoleWithWebIdentityResponse;

/** Every flow of identities with the AWS SDK for Java v2. */
public final class Java2 {
  private final CognitoIdentityClient device =
      CognitoIdentityClient.builder()
          .endpointOverride(java.net.URI.create(Gateway.ENDPOINT))
          .region(software.amazon.awssdk.regions.Region.of(Gateway.REGION))
          .credentialsProvider(AnonymousCredentialsProvider.create())
          .build();
  private final CognitoIdentityClient owner = client(CognitoIdentityClient.builder(), Gateway.OWNER);

  private Java2() {}

  public static void main(String[] arguments) {
    Java2 flows = new Java2();
    flows.guestSignsIn();
    flows.guestMeetsAnIdentityThatIsThere();
    flows.classicFlow();
    flows.developersOwnUsers();
    flows.unlinked();
    System.out.println("done");
  }

  private String id(Map<String, String> logins) {
    return device
        .getId(ask -> ask.accountId(Gateway.ACCOUNT).identityPoolId(Gateway.POOL).logins(logins))
        .identityId();
  }

  private Credentials fetch(String identity, Map<String, String> logins) {
    return device.getCredentialsForIdentity(ask -> ask.identityId(identity).logins(logins)).credentials();
  }

  private AwsCredentials credentials(String identity, Map<String, String> logins) {
    Credentials found = fetch(identity, logins);
    return session(found.accessKeyId(), found.secretKey(), found.sessionToken());
  }

  private void guestSignsIn() {
    String guest = id(Map.of());
    same(guest, identity(credentials(guest, Map.of())));
    AwsCredentials signedIn = credentials(guest, Gateway.logins(1));
    same(guest, identity(signedIn));
    same(true, saw(signedIn).getAsJsonObject("callgate").get("signedIn").getAsBoolean());
    // From now on the id alone opens nothing.
    refused(NotAuthorizedException.class, () -> fetch(guest, Map.of()));
    same(guest, id(Gateway.logins(1)));
  }

  private void guestMeetsAnIdentityThatIsThere() {
    String user = id(Gateway.logins(2));
    String guest = id(Map.of());
    Credentials merged = fetch(guest, Gateway.logins(2));
    same(user, identity(session(merged.accessKeyId(), merged.secretKey(), merged.sessionToken())));
    refused(NotAuthorizedException.class, () -> fetch(guest, Map.of()));
    refused(NotAuthorizedException.class, () -> fetch(guest, Gateway.logins(1)));
  }

  private void classicFlow() {
    String user = id(Gateway.logins(3));
    String token =
        device.getOpenIdToken(ask -> ask.identityId(user).logins(Gateway.logins(3))).token();
    try (StsClient sts =
        StsClient.builder()
            .endpointOverride(java.net.URI.create(Gateway.ENDPOINT))
            .region(software.amazon.awssdk.regions.Region.of(Gateway.REGION))
            .credentialsProvider(AnonymousCredentialsProvider.create())
            .build()) {
      AssumeRoleWithWebIdentityResponse assumed =
          sts.assumeRoleWithWebIdentity(
              ask -> ask.roleArn(Gateway.ROLE).roleSessionName("java").webIdentityToken(token));
      same("cognito-identity.amazonaws.com", assumed.provider());
      same(user, assumed.subjectFromWebIdentityToken());
      var found = assumed.credentials();
      same(user, identity(session(found.accessKeyId(), found.secretAccessKey(), found.sessionToken())));
    }
  }

  private void developersOwnUsers() {
    GetOpenIdTokenForDeveloperIdentityResponse ada = developer("ada");
    same(ada.identityId(), developer("ada").identityId());
    Map<String, String> login = Map.of("cognito-identity.amazonaws.com", ada.token());
    same(ada.identityId(), identity(credentials(ada.identityId(), login)));
    same(
        java.util.List.of("ada"),
        owner
            .lookupDeveloperIdentity(
                ask -> ask.identityPoolId(Gateway.POOL).identityId(ada.identityId()))
            .developerUserIdentifierList());
    String grace = developer("grace").identityId();
    String kept =
        owner
            .mergeDeveloperIdentities(
                ask ->
                    ask.identityPoolId(Gateway.POOL)
                        .developerProviderName(Gateway.DEVELOPER)
                        .sourceUserIdentifier("grace")
                        .destinationUserIdentifier("ada"))
            .identityId();
    same(ada.identityId(), kept);
    same(kept, developer("grace").identityId());
    refused(
        ResourceConflictException.class,
        () ->
            owner.lookupDeveloperIdentity(
                ask ->
                    ask.identityPoolId(Gateway.POOL)
                        .identityId(grace)
                        .developerUserIdentifier("ada")));
  }

  private GetOpenIdTokenForDeveloperIdentityResponse developer(String user) {
    return owner.getOpenIdTokenForDeveloperIdentity(
        ask -> ask.identityPoolId(Gateway.POOL).logins(Map.of(Gateway.DEVELOPER, user)));
  }

  private void unlinked() {
    String user = id(Gateway.logins(4));
    device.unlinkIdentity(
        ask ->
            ask.identityId(user)
                .logins(Gateway.logins(4))
                .loginsToRemove(Gateway.LOGIN));
    refused(NotAuthorizedException.class, () -> fetch(user, Gateway.logins(4)));
    String next = id(Gateway.logins(4));
    same(false, next.equals(user));
  }
}
