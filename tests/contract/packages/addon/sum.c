#include <node_api.h>
int scale(int value);
static napi_value sum(napi_env env, napi_callback_info info) {
  size_t argc = 2; napi_value argv[2]; int32_t a = 0, b = 0; napi_value out;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_int32(env, argv[0], &a);
  napi_get_value_int32(env, argv[1], &b);
  napi_create_int32(env, scale(a + b), &out);
  return out;
}
static napi_value init(napi_env env, napi_value exports) {
  napi_value fn;
  napi_create_function(env, "sum", NAPI_AUTO_LENGTH, sum, NULL, &fn);
  napi_set_named_property(env, exports, "sum", fn);
  return exports;
}
NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
