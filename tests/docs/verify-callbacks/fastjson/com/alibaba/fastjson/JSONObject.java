package com.alibaba.fastjson;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What the sample uses of fastjson's class: a HashMap (fastjson 1) or a LinkedHashMap (fastjson 2), and nothing of how it is done.
 */
public final class JSONObject {
  final Map<String, Object> members = JSON.keepsOrder ? new LinkedHashMap<>() : new HashMap<>(16);

  public Object get(String key) {
    return members.get(key);
  }

  public boolean containsKey(String key) {
    return members.containsKey(key);
  }

  public String getString(String key) {
    Object value = members.get(key);
    return value == null ? null : value.toString();
  }

  public JSONObject getJSONObject(String key) {
    return (JSONObject) members.get(key);
  }

  public Set<Map.Entry<String, Object>> entrySet() {
    return members.entrySet();
  }
}
