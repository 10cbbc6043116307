package flows;

import static flows.Given.refused;
import static flows.Given.same;

import com.amazonaws.AmazonServiceException;
import com.amazonaws.ClientConfiguration;
import com.amazonaws.auth.AWSCredentials;
import com.amazonaws.auth.AnonymousAWSCredentials;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.auth.BasicSessionCredentials;
import com.amazonaws.services.cognitoidentity.AmazonCognitoIdentityClient;
import com.amazonaws.services.cognitoidentity.model.Credentials;
import com.amazonaws.services.cognitoidentity.model.GetCredentialsForIdentityRequest;
import com.amazonaws.services.cognitoidentity.model.GetIdRequest;
import com.amazonaws.services.cognitoidentity.model.NotAuthorizedException;
import com.amazonaws.services.lambda.AWSLambdaClient;
import com.amazonaws.services.lambda.invoke.LambdaFunctionException;
import com.amazonaws.services.lambda.invoke.LambdaInvokerFactory;
import com.amazonaws.services.lambda.model.InvokeRequest;
import com.amazonaws.services.lambda.model.InvokeResult;
import com.amazonaws.services.lambda.model.ResourceNotFoundException;
import flows.Game.Board;
import flows.Game.Score;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** An app with the AWS SDK for Java v1, of 2015 or of today: all that it sets is the endpoint. */
public final class Java1 {
  private final AmazonCognitoIdentityClient identities =
      new AmazonCognitoIdentityClient(new AnonymousAWSCredentials(), new ClientConfiguration());

  private Java1() {
    identities.setEndpoint(Given.ENDPOINT);
  }

  public static void main(String[] arguments) {
    Java1 flows = new Java1();
    flows.objectsGoInAndOut();
    flows.errorsAreTyped();
    flows.signsIn();
    flows.theDeviceSaysWhatItIs();
    System.out.println("done");
  }

  static AWSLambdaClient functions(AWSCredentials credentials) {
    AWSLambdaClient client = new AWSLambdaClient(credentials, new ClientConfiguration());
    client.setEndpoint(Given.ENDPOINT);
    return client;
  }

  static AWSLambdaClient owner() {
    return functions(new BasicAWSCredentials(Given.KEY_ID, Given.SECRET));
  }

  private String id(Map<String, String> logins) {
    return identities
        .getId(new GetIdRequest().withIdentityPoolId(Given.POOL).withLogins(logins))
        .getIdentityId();
  }

  private AWSLambdaClient as(String identity, Map<String, String> logins) {
    Credentials found =
        identities
            .getCredentialsForIdentity(
                new GetCredentialsForIdentityRequest()
                    .withIdentityId(identity)
                    .withLogins(logins))
            .getCredentials();
    return functions(
        new BasicSessionCredentials(
            found.getAccessKeyId(), found.getSecretKey(), found.getSessionToken()));
  }

  private Game guest() {
    return LambdaInvokerFactory.build(Game.class, as(id(Map.of()), Map.of()));
  }

  private void objectsGoInAndOut() {
    String guest = id(Map.of());
    Game game = LambdaInvokerFactory.build(Game.class, as(guest, Map.of()));
    Score score = new Score("Ünal \"the\" 手", 41);
    for (Board board : List.of(game.scores(score), game.logged(score))) {
      same(guest, board.getIdentity());
      same(List.of(new Score("Ünal \"the\" 手", 42), new Score("Ada", 7)), board.getBest());
    }
    game.mayScore(score);
    same(Map.of(), game.none());
    List<Score> scores = List.of(score, new Score(null, -1));
    same(scores, game.all(scores));
    same(Map.of("größte", score), game.byName(Map.of("größte", score)));
    same("", game.text(""));
    same("\u2028<&>\ud83d\ude00", game.text("\u2028<&>\ud83d\ude00"));
    same(0.1, game.number(0.1));
  }

  private void errorsAreTyped() {
    Game game = guest();
    LambdaFunctionException error =
        refused(LambdaFunctionException.class, () -> game.failsAsIn2015("too late"));
    same("RangeError", error.getType());
    same(true, error.isHandled());
    same(true, error.getMessage().contains("too late"));
    same(false, refused(LambdaFunctionException.class, () -> game.fails("too late")).isHandled());
    // Policy keeps a guest from it, whether it is there or not. The SDK of 2015 knows no code of what its model does not name.
    for (Runnable call : List.<Runnable>of(game::closed, game::missing)) {
      AmazonServiceException denied = refused(AmazonServiceException.class, call);
      same(403, denied.getStatusCode());
      same(true, denied.getMessage().contains("is not authorized to perform: lambda:InvokeFunction"));
    }
    Game owned = LambdaInvokerFactory.build(Game.class, owner());
    same(404, refused(ResourceNotFoundException.class, owned::missing).getStatusCode());
  }

  private void signsIn() {
    String guest = id(Map.of());
    Game game = LambdaInvokerFactory.build(Game.class, as(guest, Given.logins(8)));
    same(guest, game.scores(new Score("Ada", 1)).getIdentity());
    same(guest, id(Given.logins(8)));
    refused(NotAuthorizedException.class, () -> as(guest, Map.of()));
  }

  /** The factory of this SDK sends no client context, but its client does. */
  private void theDeviceSaysWhatItIs() {
    String device = "{\"client\":{\"app_package_name\":\"com.example\"},\"custom\":{\"größe\":\"1\"}}";
    InvokeResult answer =
        as(id(Map.of()), Map.of())
            .invoke(
                new InvokeRequest()
                    .withFunctionName(Given.FUNCTION)
                    .withClientContext(
                        Base64.getEncoder().encodeToString(device.getBytes(StandardCharsets.UTF_8)))
                    .withPayload("{\"name\":\"Ünal\"}"));
    ByteBuffer payload = answer.getPayload();
    String saw = StandardCharsets.UTF_8.decode(payload.duplicate()).toString();
    same(200, answer.getStatusCode());
    same(null, answer.getFunctionError());
    same(true, saw.contains("\"clientContext\":" + device.replaceAll("}$", "")));
    same(true, saw.startsWith("{\"event\":{\"name\":\"Ünal\"}"));
  }
}
