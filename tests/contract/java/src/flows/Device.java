package flows;

import android.content.Context;
import android.content.ContextWrapper;
import android.content.SharedPreferences;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What the SDK asks an Android device for: a context whose preferences last as long as this object. */
final class Device extends ContextWrapper {
  private final Map<String, SharedPreferences> preferences = new HashMap<>();

  Device() {
    super(null);
  }

  @Override
  public Context getApplicationContext() {
    return this;
  }

  @Override
  public String getPackageName() {
    return "com.example";
  }

  @Override
  public SharedPreferences getSharedPreferences(String name, int mode) {
    return preferences.computeIfAbsent(name, unused -> new Preferences());
  }

  private static final class Preferences implements SharedPreferences, SharedPreferences.Editor {
    private final Map<String, Object> values = new HashMap<>();

    @Override
    public Map<String, ?> getAll() {
      return new HashMap<>(values);
    }

    @SuppressWarnings("unchecked")
    private <T> T get(String key, T otherwise) {
      return (T) values.getOrDefault(key, otherwise);
    }

    private Editor put(String key, Object value) {
      values.put(key, value);
      return this;
    }

    @Override
    public String getString(String key, String otherwise) {
      return get(key, otherwise);
    }

    @Override
    public Set<String> getStringSet(String key, Set<String> otherwise) {
      return get(key, otherwise);
    }

    @Override
    public int getInt(String key, int otherwise) {
      return get(key, otherwise);
    }

    @Override
    public long getLong(String key, long otherwise) {
      return get(key, otherwise);
    }

    @Override
    public float getFloat(String key, float otherwise) {
      return get(key, otherwise);
    }

    @Override
    public boolean getBoolean(String key, boolean otherwise) {
      return get(key, otherwise);
    }

    @Override
    public boolean contains(String key) {
      return values.containsKey(key);
    }

    @Override
    public Editor edit() {
      return this;
    }

    @Override
    public Editor putString(String key, String value) {
      return put(key, value);
    }

    @Override
    public Editor putStringSet(String key, Set<String> value) {
      return put(key, value);
    }

    @Override
    public Editor putInt(String key, int value) {
      return put(key, value);
    }

    @Override
    public Editor putLong(String key, long value) {
      return put(key, value);
    }

    @Override
    public Editor putFloat(String key, float value) {
      return put(key, value);
    }

    @Override
    public Editor putBoolean(String key, boolean value) {
      return put(key, value);
    }

    @Override
    public Editor remove(String key) {
      values.remove(key);
      return this;
    }

    @Override
    public Editor clear() {
      values.clear();
      return this;
    }

    @Override
    public boolean commit() {
      return true;
    }

    @Override
    public void apply() {}

    @Override
    public void registerOnSharedPreferenceChangeListener(OnSharedPreferenceChangeListener listener) {}

    @Override
    public void unregisterOnSharedPreferenceChangeListener(
        OnSharedPreferenceChangeListener listener) {}
  }
}
