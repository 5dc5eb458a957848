"""The native API's calls: one module a noun, one function a call. Each makes a `Call` and asks nothing itself."""
