import com.alibaba.fastjson.JSON; // fastjson 2: com.alibaba.fastjson2, nothing else changes
import com.alibaba.fastjson.JSONObject;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** V1 as most integrations with fastjson do it: `data` is parsed and written again. Java 17 or newer. */
public final class FastjsonVerifier {
  private static final long TOLERANCE_MS = 300_000; // five minutes

  /** Not from the platform, or not from now: answer a code that is not 0, and book nothing. */
  public static final class Refused extends Exception {
    Refused(String reason) {
      super(reason);
    }
  }

  /** Answers the whole body. Go on with this object alone: what it does not say was not verified. */
  public static JSONObject verifyV1(
      UnaryOperator<String> header, byte[] body, String appId, String apiSecret, long nowMs) throws Refused {
    if (!"V1".equals(header.apply("Sign-Version"))) throw new Refused("sign_version_unknown");
    String signature = header.apply("Signature");
    if (signature == null || signature.isEmpty()) throw new Refused("signature_missing");
    String timestamp = header.apply("Timestamp");
    if (timestamp == null || !timestamp.matches("[0-9]{13}")) throw new Refused("timestamp_invalid");
    if (nowMs - Long.parseLong(timestamp) > TOLERANCE_MS) throw new Refused("timestamp_stale");
    if (Long.parseLong(timestamp) - nowMs > TOLERANCE_MS) throw new Refused("timestamp_future");
    JSONObject callback = parsed(body);
    JSONObject data = callback.getJSONObject("data");
    // A member of such a name would hide behind the signature's own.
    if (data.containsKey("appId") || data.containsKey("timestamp")) throw new Refused("body_invalid");
    Map<String, String> pairs = new TreeMap<>(); // by UTF-16 units, which is enough for the keys of callbacks
    for (Map.Entry<String, Object> member : data.entrySet()) {
      Object value = member.getValue();
      if (value == null) continue;
      pairs.put(member.getKey(), value instanceof String ? (String) value : JSON.toJSONString(value));
    }
    pairs.put("appId", appId);
    pairs.put("timestamp", timestamp);
    String signed = pairs.entrySet().stream()
        .map(each -> each.getKey() + "=" + each.getValue())
        .collect(Collectors.joining("&"));
    String expected = HexFormat.of().formatHex(hmac(apiSecret, signed));
    if (!MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), signature.getBytes(StandardCharsets.UTF_8))) {
      throw new Refused("signature_mismatch");
    }
    return callback;
  }

  private static JSONObject parsed(byte[] body) throws Refused {
    try {
      // Strictly: new String(bytes, UTF_8) would put U+FFFD where the bytes are not UTF-8.
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
      JSONObject callback = JSON.parseObject(text);
      if (callback.getString("id").isEmpty() || callback.getString("action").isEmpty()) throw new Refused("body_invalid");
      if (!(callback.get("data") instanceof JSONObject)) throw new Refused("body_invalid");
      return callback;
    } catch (CharacterCodingException | RuntimeException error) {
      throw new Refused("body_invalid");
    }
  }

  private static byte[] hmac(String apiSecret, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(apiSecret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
  }
}
