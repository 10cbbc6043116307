{
  "targets": [
    {
      "target_name": "scale",
      "type": "shared_library",
      "product_prefix": "lib",
      "sources": ["scale.c"],
      "ldflags": ["-Wl,-soname,libscale.so"]
    },
    {
      "target_name": "sum",
      "sources": ["sum.c"],
      "dependencies": ["scale"],
      "libraries": ["-L<(PRODUCT_DIR)", "-lscale"],
      "ldflags": ["-Wl,-rpath,'$$ORIGIN'"]
    }
  ]
}
