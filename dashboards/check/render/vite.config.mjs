import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: { chunkSizeWarningLimit: 1e5, minify: false, target: "es2022" },
  define: { "process.env.NODE_ENV": JSON.stringify("production"), global: "globalThis" },
  esbuild: { jsx: "automatic" },
  logLevel: "warn",
});
