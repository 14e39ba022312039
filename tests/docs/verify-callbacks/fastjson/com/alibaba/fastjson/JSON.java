package com.alibaba.fastjson;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A stand-in for fastjson with what matters when `data` is parsed and written again: nested objects lie in the JDK's own
 * maps, decimals are BigDecimals, members that are null are not written, few characters are escaped. `-DkeepsOrder=true` is
 * fastjson 2. The real library is not part of this repository.
 */
public final class JSON {
  static final boolean keepsOrder = Boolean.getBoolean("keepsOrder");

  private final String text;
  private int at = 0;

  private JSON(String text) {
    this.text = text;
  }

  public static JSONObject parseObject(String text) {
    JSON json = new JSON(text);
    JSONObject object = (JSONObject) json.value();
    json.blanks();
    if (json.at != text.length()) throw new IllegalArgumentException("something behind the object");
    return object;
  }

  public static String toJSONString(Object value) {
    if (value instanceof JSONObject object) {
      return object.members.entrySet().stream()
          .filter(member -> member.getValue() != null)
          .map(member -> quoted(member.getKey()) + ":" + toJSONString(member.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    }
    if (value instanceof List<?> list) {
      return list.stream().map(JSON::toJSONString).collect(Collectors.joining(",", "[", "]"));
    }
    return value instanceof String string ? quoted(string) : String.valueOf(value);
  }

  private static String quoted(String text) {
    return text.chars().mapToObj(JSON::escaped).collect(Collectors.joining("", "\"", "\""));
  }

  private static String escaped(int character) {
    int at = "\"\\\b\f\n\r\t".indexOf(character);
    if (at >= 0) return "\\" + "\"\\bfnrt".charAt(at);
    boolean isControl = character >= 0x7f && character < 0xa0 || character == 0x2028 || character == 0x2029;
    return character < 0x20 || isControl && !keepsOrder ? String.format("\\u%04x", character) : String.valueOf((char) character);
  }

  private Object value() {
    blanks();
    char first = text.charAt(at);
    if (first == '{') return object();
    if (first == '[') return array();
    if (first == '"') return string();
    int from = at;
    while (at < text.length() && "+-.0123456789eEtrufalsn".indexOf(text.charAt(at)) >= 0) at += 1;
    return scalar(text.substring(from, at));
  }

  private static Object scalar(String word) {
    if (word.equals("null")) return null;
    if (word.equals("true") || word.equals("false")) return Boolean.valueOf(word);
    return word.matches("-?[0-9]+") ? new BigInteger(word) : new BigDecimal(word);
  }

  private JSONObject object() {
    JSONObject object = new JSONObject();
    at += 1;
    while (!isNext('}')) {
      String key = string();
      if (!isNext(':')) throw new IllegalArgumentException("a colon expected");
      object.members.put(key, value());
      if (!isNext(',') && text.charAt(at) != '}') throw new IllegalArgumentException("a comma expected");
    }
    return object;
  }

  private List<Object> array() {
    List<Object> list = new ArrayList<>();
    at += 1;
    while (!isNext(']')) {
      list.add(value());
      if (!isNext(',') && text.charAt(at) != ']') throw new IllegalArgumentException("a comma expected");
    }
    return list;
  }

  private String string() {
    blanks();
    if (text.charAt(at) != '"') throw new IllegalArgumentException("a text expected");
    StringBuilder string = new StringBuilder();
    for (at += 1; text.charAt(at) != '"'; at += 1) {
      if (text.charAt(at) != '\\') {
        string.append(text.charAt(at));
        continue;
      }
      at += 1;
      if (text.charAt(at) == 'u') {
        string.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
        at += 4;
      } else {
        string.append("\b\f\n\r\t\"\\/".charAt("bfnrt\"\\/".indexOf(text.charAt(at))));
      }
    }
    at += 1;
    return string.toString();
  }

  private boolean isNext(char token) {
    blanks();
    if (text.charAt(at) != token) return false;
    at += 1;
    return true;
  }

  private void blanks() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at += 1;
  }
}
