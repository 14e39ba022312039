import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Feeds requests from stdin to the guide's Java samples; one verdict a line. See samples.ts. */
public final class Driver {
  public static void main(String[] words) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    boolean isFastjson = words.length > 0 && words[0].equals("fastjson");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(verdict(line.split("\t"), isFastjson));
    }
    out.flush();
  }

  private static String verdict(String[] fields, boolean isFastjson) {
    byte[] body = Base64.getDecoder().decode(fields[5]);
    long nowMs = Long.parseLong(fields[1]);
    try {
      if (fields[0].equals("V1")) {
        Map<String, String> headers = headers(List.of("Sign-Version", "Timestamp", "Signature"), fields);
        if (isFastjson) FastjsonVerifier.verifyV1(headers::get, body, text(fields[6]), text(fields[7]), nowMs);
        else CallbackVerifier.verifyV1(headers::get, body, text(fields[6]), text(fields[7]), nowMs);
      } else {
        Map<String, String> headers =
            headers(List.of("webhook-id", "webhook-timestamp", "webhook-signature"), fields);
        CallbackVerifier.verifyStandard(headers::get, body, List.of(text(fields[6]).split(" ")), nowMs);
      }
      return "ok";
    } catch (CallbackVerifier.Refused | FastjsonVerifier.Refused refused) {
      return refused.getMessage();
    }
  }

  private static Map<String, String> headers(List<String> names, String[] fields) {
    Map<String, String> headers = new HashMap<>();
    for (int at = 0; at < names.size(); at += 1) {
      if (!fields[2 + at].equals("-")) headers.put(names.get(at), text(fields[2 + at]));
    }
    return headers;
  }

  private static String text(String field) {
    return new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8);
  }
}
