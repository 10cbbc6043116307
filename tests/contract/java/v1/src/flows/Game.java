package flows;

import com.amazonaws.services.lambda.invoke.LambdaFunction;
import com.amazonaws.services.lambda.model.InvocationType;
import com.amazonaws.services.lambda.model.LogType;
import java.util.List;
import java.util.Map;

/** Functions as an app of 2015 declares them: an interface of methods that take and return its own objects. */
public interface Game {
  /** Without a name in the annotation, the method's name is the function's. */
  @LambdaFunction
  Board scores(Score score);

  @LambdaFunction(functionName = "scores", logType = LogType.Tail)
  Board logged(Score score);

  @LambdaFunction(functionName = "scores", invocationType = InvocationType.DryRun)
  void mayScore(Score score);

  /** Without an argument this SDK sends no payload, which a function sees as an empty object. */
  @LambdaFunction(functionName = "echoes")
  Map<String, Score> none();

  /** Generics keep their types. */
  @LambdaFunction(functionName = "echoes")
  List<Score> all(List<Score> scores);

  @LambdaFunction(functionName = "echoes")
  Map<String, Score> byName(Map<String, Score> scores);

  @LambdaFunction(functionName = "echoes")
  String text(String text);

  @LambdaFunction(functionName = "echoes")
  double number(double number);

  @LambdaFunction
  Board fails(String why);

  /** The same on the runtime of 2015, whose errors have the members that the SDK of 2015 knows. */
  @LambdaFunction(functionName = "fails-2015")
  Board failsAsIn2015(String why);

  @LambdaFunction
  void closed();

  @LambdaFunction(functionName = "not-there")
  void missing();

  /** What a player reached. */
  class Score {
    private String player;
    private int points;

    public Score() {}

    public Score(String player, int points) {
      this.player = player;
      this.points = points;
    }

    public String getPlayer() {
      return player;
    }

    public void setPlayer(String player) {
      this.player = player;
    }

    public int getPoints() {
      return points;
    }

    public void setPoints(int points) {
      this.points = points;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Score && toString().equals(other.toString());
    }

    @Override
    public int hashCode() {
      return toString().hashCode();
    }

    @Override
    public String toString() {
      return player + " " + points;
    }
  }

  /** The list of scores, with the identity that the function saw. */
  class Board {
    private String identity;
    private List<Score> best;

    public String getIdentity() {
      return identity;
    }

    public void setIdentity(String identity) {
      this.identity = identity;
    }

    public List<Score> getBest() {
      return best;
    }

    public void setBest(List<Score> best) {
      this.best = best;
    }
  }
}
