package flows;

import static flows.Given.refused;
import static flows.Given.same;

import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.lambda.AWSLambda;
import com.amazonaws.services.lambda.AWSLambdaClientBuilder;
import com.amazonaws.services.lambda.invoke.LambdaFunctionException;
import com.amazonaws.services.lambda.invoke.LambdaInvokerFactory;
import com.amazonaws.services.lambda.model.CreateAliasRequest;
import com.amazonaws.services.lambda.model.PublishVersionRequest;
import flows.Game.Board;
import flows.Game.Score;
import java.util.List;

/** What later versions of the SDK for Java v1 added: builders, and a factory that calls one version or alias. */
public final class Aliases {
  private Aliases() {}

  public static void main(String[] arguments) {
    AWSLambda client =
        AWSLambdaClientBuilder.standard()
            .withEndpointConfiguration(new EndpointConfiguration(Given.ENDPOINT, Given.REGION))
            .withCredentials(
                new AWSStaticCredentialsProvider(new BasicAWSCredentials(Given.KEY_ID, Given.SECRET)))
            .build();
    String version =
        client.publishVersion(new PublishVersionRequest().withFunctionName("scores")).getVersion();
    client.createAlias(
        new CreateAliasRequest()
            .withFunctionName("scores")
            .withName("live")
            .withFunctionVersion(version));
    LambdaInvokerFactory.Builder factory = LambdaInvokerFactory.builder().lambdaClient(client);
    for (Game game :
        List.of(
            factory.functionAlias("live").build(Game.class),
            LambdaInvokerFactory.builder()
                .lambdaClient(client)
                .functionVersion(version)
                .build(Game.class))) {
      Board board = game.scores(new Score("Ada", 1));
      // The account's own key is nobody's identity.
      same(null, board.getIdentity());
      same(new Score("Ada", 7), board.getBest().get(0));
    }
    // Errors of today's runtimes, which the SDK of 2015 could not read.
    Game game = LambdaInvokerFactory.build(Game.class, client);
    LambdaFunctionException error =
        refused(LambdaFunctionException.class, () -> game.fails("too late"));
    same("RangeError", error.getType());
    System.out.println("done");
  }
}
