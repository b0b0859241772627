// Imports of the C code, which wait for onnxruntime-web; `Module.sessions` is of web/src/sessions.ts.
mergeInto(LibraryManager.library, {
  ew_session_open: function (graph, size, contract, engine, engineSize, failure, failureSize) {
    return Asyncify.handleAsync(async () => {
      try {
        const opened = await Module.sessions.open(HEAPU8.slice(graph, graph + size), JSON.parse(UTF8ToString(contract)));
        stringToUTF8(opened.engine, engine, engineSize);
        return opened.session;
      } catch (error) {
        stringToUTF8(String((error && error.message) || error), failure, failureSize);
        return -1;
      }
    });
  },
  ew_session_run: function (session, inputs, outputs, failure, failureSize) {
    return Asyncify.handleAsync(async () => {
      try {
        await Module.sessions.run(session, inputs >> 2, outputs >> 2, () => ({ bytes: HEAPU8, words: HEAPU32 }));
        return 0;
      } catch (error) {
        stringToUTF8(String((error && error.message) || error), failure, failureSize);
        return -1;
      }
    });
  },
  ew_session_close: function (session) {
    Module.sessions.close(session);
  },
});
