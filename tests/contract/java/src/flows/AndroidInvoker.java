package flows;

import static flows.Gateway.same;

import com.amazonaws.AmazonServiceException;
import com.amazonaws.AmazonWebServiceClient;
import com.amazonaws.AmazonWebServiceResponse;
import com.amazonaws.AmazonWebServiceRequest;
import com.amazonaws.ClientConfiguration;
import com.amazonaws.DefaultRequest;
import com.amazonaws.Request;
import com.amazonaws.auth.AWSCredentialsProvider;
import com.amazonaws.auth.AnonymousAWSCredentials;
import com.amazonaws.auth.CognitoCachingCredentialsProvider;
import com.amazonaws.http.ExecutionContext;
import com.amazonaws.http.HttpMethodName;
import com.amazonaws.http.HttpResponse;
import com.amazonaws.http.HttpResponseHandler;
import com.amazonaws.http.JsonErrorResponseHandler;
import com.amazonaws.services.cognitoidentity.AmazonCognitoIdentityClient;
import com.amazonaws.transform.JsonErrorUnmarshaller;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.json.JSONObject;

/**
 * The calls of the AWS SDK for Android's Lambda invoker. Its Lambda module is in no registry, but everything below it is:
 * credentials, signer, retries and HTTP are the SDK's core, and the request is put together as the module does
 * (aws-amplify/aws-sdk-android, InvokeRequestMarshaller and ClientContext).
 */
public final class AndroidInvoker extends AmazonWebServiceClient {
  private static final String INSTALLATION = "2d9a130e-1c3b-40c7-8953-c7c4aea3d6fa";

  private final AWSCredentialsProvider credentials;
  private final Gson gson = new Gson();

  AndroidInvoker(AWSCredentialsProvider credentials, String endpoint) {
    super(new ClientConfiguration());
    this.credentials = credentials;
    // What the SDK takes from the name of its own class, AWSLambdaClient.
    setServiceNameIntern("lambda");
    setEndpoint(endpoint);
  }

  public static void main(String[] arguments) throws Exception {
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    AmazonCognitoIdentityClient identities =
        new AmazonCognitoIdentityClient(new AnonymousAWSCredentials());
    identities.setEndpoint(Gateway.ENDPOINT);
    CognitoCachingCredentialsProvider app =
        new CognitoCachingCredentialsProvider(
            new Device(), Gateway.ACCOUNT, Gateway.POOL, null, null, identities, null);
    AndroidInvoker invoker = new AndroidInvoker(app, Gateway.ENDPOINT);
    invoker.objectsGoInAndTheDeviceSaysWhatItIs(app.getIdentityId());
    invoker.oneVersionOnly();
    invoker.errorsAreTheFunctions();
    invoker.refusalsAreTheSdks();
    System.out.println("done");
  }

  /** What the SDK's ClientContext says, field by field. */
  private static String device() throws Exception {
    JSONObject client =
        new JSONObject()
            .put("installation_id", INSTALLATION)
            .put("app_version_name", "2.1.2")
            .put("app_version_code", "2")
            .put("app_package_name", "com.example.game")
            .put("app_title", "Größtes Spiel");
    JSONObject env =
        new JSONObject()
            .put("platform", "Android")
            .put("model", "Pixel 2")
            .put("make", "Google")
            .put("platform_version", "8.1.0")
            .put("locale", Locale.GERMANY.toString());
    String context =
        new JSONObject()
            .put("client", client)
            .put("env", env)
            .put("custom", new JSONObject(Map.of("level", "4")))
            .toString();
    return Base64.getEncoder().encodeToString(context.getBytes(StandardCharsets.UTF_8));
  }

  /** What came back: HTTP's status, the kind of function error, the payload. */
  record Result(int status, String functionError, String payload) {}

  private Result invoke(String function, String qualifier, Object argument) throws Exception {
    return invoke(function, qualifier, gson.toJson(argument), null);
  }

  Result invoke(String function, String qualifier, String json, String key) throws Exception {
    Request<?> request = new DefaultRequest<>(new AmazonWebServiceRequest() {}, "AWSLambda");
    request.setHttpMethod(HttpMethodName.POST);
    request.addHeader("X-Amz-Invocation-Type", "RequestResponse");
    request.addHeader("X-Amz-Log-Type", "None");
    request.addHeader("X-Amz-Client-Context", device());
    request.setResourcePath("/2015-03-31/functions/" + function + "/invocations");
    if (qualifier != null) {
      request.addParameter("Qualifier", qualifier);
    }
    if (key != null) {
      request.addHeader("Idempotency-Key", key);
    }
    byte[] payload = json.getBytes(StandardCharsets.UTF_8);
    request.addHeader("Content-Length", Integer.toString(payload.length));
    request.setContent(new ByteArrayInputStream(payload));
    request.addHeader("Content-Type", "application/x-amz-json-1.0");
    request.setEndpoint(endpoint);
    ExecutionContext context = createExecutionContext(request);
    context.setCredentials(credentials.getCredentials());
    return client
        .execute(
            request,
            new Results(),
            new JsonErrorResponseHandler(List.of(new JsonErrorUnmarshaller())),
            context)
        .getAwsResponse();
  }

  private void objectsGoInAndTheDeviceSaysWhatItIs(String identity) throws Exception {
    Result result = invoke(Gateway.FUNCTION, null, Map.of("name", "<Ünal & '手'>"));
    same(200, result.status());
    same(null, result.functionError());
    JsonObject saw = gson.fromJson(result.payload(), JsonObject.class);
    same("<Ünal & '手'>", saw.getAsJsonObject("event").get("name").getAsString());
    same(identity, saw.getAsJsonObject("identity").get("cognitoIdentityId").getAsString());
    JsonObject context = saw.getAsJsonObject("clientContext");
    same(INSTALLATION, context.getAsJsonObject("client").get("installation_id").getAsString());
    same("Größtes Spiel", context.getAsJsonObject("client").get("app_title").getAsString());
    same("2", context.getAsJsonObject("client").get("app_version_code").getAsString());
    same("de_DE", context.getAsJsonObject("env").get("locale").getAsString());
    same("4", context.getAsJsonObject("custom").get("level").getAsString());
  }

  private void oneVersionOnly() throws Exception {
    Result result = invoke(Gateway.FUNCTION, "$LATEST", null);
    JsonObject saw = gson.fromJson(result.payload(), JsonObject.class);
    same(true, saw.get("event").isJsonNull());
    same("$LATEST", saw.get("functionVersion").getAsString());
  }

  private void errorsAreTheFunctions() throws Exception {
    Result result = invoke("fails", null, "too late");
    same(200, result.status());
    same("Unhandled", result.functionError());
    JsonObject error = gson.fromJson(result.payload(), JsonObject.class);
    same("RangeError", error.get("errorType").getAsString());
    same("too late", error.get("errorMessage").getAsString());
  }

  private void refusalsAreTheSdks() throws Exception {
    try {
      invoke("closed", null, null);
    } catch (AmazonServiceException denied) {
      same(403, denied.getStatusCode());
      same("AccessDeniedException", denied.getErrorCode());
      same(true, denied.getErrorMessage().contains("is not authorized to perform"));
      return;
    }
    throw new AssertionError("was not refused");
  }

  private static final class Results
      implements HttpResponseHandler<AmazonWebServiceResponse<Result>> {
    @Override
    public AmazonWebServiceResponse<Result> handle(HttpResponse response) throws IOException {
      AmazonWebServiceResponse<Result> answer = new AmazonWebServiceResponse<>();
      byte[] payload = response.getContent().readAllBytes();
      answer.setResult(
          new Result(
              response.getStatusCode(),
              // Letter by letter, as the module looks it up.
              response.getHeaders().get("X-Amz-Function-Error"),
              new String(payload, StandardCharsets.UTF_8)));
      return answer;
    }

    @Override
    public boolean needsConnectionLeftOpen() {
      return false;
    }
  }
}
