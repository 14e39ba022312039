import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Verifies Cardwright's callbacks with the JDK alone, Java 17 or newer. `header` gives a header by its name, or null. */
public final class CallbackVerifier {
  private static final long TOLERANCE_MS = 300_000; // five minutes
  private static final int BODY_BYTES_MAX = 1_048_576; // a callback has a few hundred
  private static final int SIGNATURES_MAX = 10; // the header holds two while a secret is being changed

  /** Not from the platform, or not from now: answer a code that is not 0, and book nothing. */
  public static final class Refused extends Exception {
    Refused(String reason) {
      super(reason);
    }
  }

  /** A body whose data the platform signed; V1 does not cover id and action. */
  public record Callback(String id, String action, String dataText) {}

  public static Callback verifyV1(
      UnaryOperator<String> header, byte[] body, String appId, String apiSecret, long nowMs) throws Refused {
    if (!"V1".equals(header.apply("Sign-Version"))) throw new Refused("sign_version_unknown");
    String signature = present(header.apply("Signature"), "signature_missing");
    String timestamp = header.apply("Timestamp");
    if (timestamp == null || !timestamp.matches("[0-9]{13}")) throw new Refused("timestamp_invalid");
    checkTime(Long.parseLong(timestamp), nowMs);
    Map<String, String> top = RawJson.members(decoded(body));
    Map<String, String> data = RawJson.members(top.getOrDefault("data", ""));
    String id = top.getOrDefault("id", "");
    String action = top.getOrDefault("action", "");
    if (!id.matches("(?s)[-0-9].*|\"..*\"") || !action.matches("(?s)\"..*\"")) throw new Refused("body_invalid");
    byte[] expected = hmac(apiSecret.getBytes(StandardCharsets.UTF_8), encoded(signedText(data, appId, timestamp)));
    String hex = HexFormat.of().formatHex(expected);
    if (!isSame(hex, signature)) throw new Refused("signature_mismatch");
    return new Callback(RawJson.textOf(id), RawJson.textOf(action), top.get("data"));
  }

  /** Standard Webhooks: covers the whole body, which any JSON library may read afterwards. */
  public static void verifyStandard(UnaryOperator<String> header, byte[] body, List<String> secrets, long nowMs)
      throws Refused {
    String id = present(header.apply("webhook-id"), "id_invalid");
    if (id.contains(".")) throw new Refused("id_invalid");
    String signatures = present(header.apply("webhook-signature"), "signature_missing");
    String timestamp = header.apply("webhook-timestamp");
    if (timestamp == null || !timestamp.matches("[0-9]{1,12}")) throw new Refused("timestamp_invalid");
    checkTime(Long.parseLong(timestamp) * 1000, nowMs);
    byte[] head = encoded(id + "." + timestamp + ".");
    byte[] signed = ByteBuffer.allocate(head.length + body.length).put(head).put(body).array();
    List<String> given = Arrays.stream(signatures.split(" ")).limit(SIGNATURES_MAX).toList();
    boolean isGood = false;
    for (String secret : secrets) {
      byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
      String expected = "v1," + Base64.getEncoder().encodeToString(hmac(key, signed));
      // All are compared, so that the time does not tell which was good.
      for (String each : given) isGood |= isSame(expected, each);
    }
    if (!isGood) throw new Refused("signature_mismatch");
  }

  private static String signedText(Map<String, String> data, String appId, String timestamp) throws Refused {
    // UTF-8 bytes are in code-point order; String.compareTo is not, it compares UTF-16 units.
    Map<String, String> pairs = new TreeMap<>(
        Comparator.comparing((String key) -> key.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned));
    for (Map.Entry<String, String> member : data.entrySet()) {
      encoded(member.getKey());
      if (!member.getValue().equals("null")) pairs.put(member.getKey(), RawJson.textOf(member.getValue()));
    }
    // A member of such a name would hide behind the signature's own.
    if (data.containsKey("appId") || data.containsKey("timestamp")) throw new Refused("body_invalid");
    pairs.put("appId", appId);
    pairs.put("timestamp", timestamp);
    return pairs.entrySet().stream().map(each -> each.getKey() + "=" + each.getValue()).collect(Collectors.joining("&"));
  }

  private static void checkTime(long signedAtMs, long nowMs) throws Refused {
    if (nowMs - signedAtMs > TOLERANCE_MS) throw new Refused("timestamp_stale");
    if (signedAtMs - nowMs > TOLERANCE_MS) throw new Refused("timestamp_future");
  }

  private static String present(String value, String reason) throws Refused {
    if (value == null || value.isEmpty()) throw new Refused(reason);
    return value;
  }

  /** new String(bytes, UTF_8) would put U+FFFD where the bytes are not UTF-8. */
  private static String decoded(byte[] body) throws Refused {
    try {
      if (body.length > BODY_BYTES_MAX) throw new Refused("body_invalid");
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException error) {
      throw new Refused("body_invalid");
    }
  }

  /** getBytes would put a question mark where the text has half a surrogate pair. */
  private static byte[] encoded(String text) throws Refused {
    try {
      ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      return Arrays.copyOf(bytes.array(), bytes.limit());
    } catch (CharacterCodingException error) {
      throw new Refused("body_invalid");
    }
  }

  private static byte[] hmac(byte[] key, byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256")); // throws for an empty key, with which anyone could sign
      return mac.doFinal(text);
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
  }

  private static boolean isSame(String expected, String given) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
  }

  /** Cuts a JSON object into its members without changing a character of their values. */
  static final class RawJson {
    private static final int DEPTH_MAX = 100; // a callback has three
    private static final Pattern BLANKS = Pattern.compile("[ \\t\\r\\n]*");
    private static final Pattern SCALAR = Pattern.compile(
        "-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|([bfnrt\"\\\\/]))");

    private final String text;
    private int at = 0;

    private RawJson(String text) {
      this.text = text;
    }

    static Map<String, String> members(String text) throws Refused {
      RawJson json = new RawJson(text);
      json.skip(BLANKS);
      Map<String, String> members = json.object(1);
      json.skip(BLANKS);
      if (json.at != text.length()) throw new Refused("body_invalid");
      return members;
    }

    /** What a value is signed as: a text without its quotes and escapes, anything else as it was sent. */
    static String textOf(String raw) {
      if (!raw.startsWith("\"")) return raw;
      return ESCAPE.matcher(raw.substring(1, raw.length() - 1)).replaceAll(RawJson::unescaped);
    }

    private static String unescaped(MatchResult escape) {
      char character = escape.group(1) != null
          ? (char) Integer.parseInt(escape.group(1), 16)
          : "\b\f\n\r\t\"\\/".charAt("bfnrt\"\\/".indexOf(escape.group(2)));
      return Matcher.quoteReplacement(String.valueOf(character));
    }

    private Map<String, String> object(int depth) throws Refused {
      Map<String, String> members = new LinkedHashMap<>();
      expect("{");
      if (isNext("}")) return members;
      do {
        skip(BLANKS);
        String key = textOf(string());
        expect(":");
        skip(BLANKS);
        int from = at;
        value(depth);
        // Of a key that comes twice readers differ in which they believe. Nested ones are signed as they stand.
        if (members.put(key, text.substring(from, at)) != null && depth == 1) throw new Refused("body_invalid");
      } while (isNext(","));
      expect("}");
      return members;
    }

    private void value(int depth) throws Refused {
      if (depth > DEPTH_MAX) throw new Refused("body_invalid");
      if (text.startsWith("{", at)) object(depth + 1);
      else if (text.startsWith("[", at)) array(depth + 1);
      else if (text.startsWith("\"", at)) string();
      else skip(SCALAR);
    }

    private void array(int depth) throws Refused {
      expect("[");
      if (isNext("]")) return;
      do {
        skip(BLANKS);
        value(depth);
      } while (isNext(","));
      expect("]");
    }

    private String string() throws Refused {
      int from = at;
      expect("\"");
      while (!text.startsWith("\"", at)) {
        if (at == text.length() || text.charAt(at) < ' ') throw new Refused("body_invalid");
        if (text.charAt(at) == '\\') skip(ESCAPE);
        else at += 1;
      }
      at += 1;
      return text.substring(from, at);
    }

    private boolean isNext(String token) throws Refused {
      skip(BLANKS);
      if (!text.startsWith(token, at)) return false;
      at += token.length();
      return true;
    }

    private void expect(String token) throws Refused {
      if (!isNext(token)) throw new Refused("body_invalid");
    }

    private void skip(Pattern pattern) throws Refused {
      Matcher matcher = pattern.matcher(text).region(at, text.length());
      if (!matcher.lookingAt()) throw new Refused("body_invalid");
      at = matcher.end();
    }
  }
}
