# The target edgeecho::onnxruntime, from ONNXRUNTIME_ROOT if it is given, else from where CMake looks.
if(NOT TARGET edgeecho::onnxruntime)
  if(ONNXRUNTIME_ROOT)
    set(only NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  endif()
  find_path(ONNXRUNTIME_INCLUDE onnxruntime_c_api.h PATHS ${ONNXRUNTIME_ROOT}
            PATH_SUFFIXES include include/onnxruntime include/onnxruntime/core/session ${only})
  find_library(ONNXRUNTIME_LIBRARY onnxruntime PATHS ${ONNXRUNTIME_ROOT} PATH_SUFFIXES lib lib64 ${only})
  if(NOT ONNXRUNTIME_INCLUDE OR NOT ONNXRUNTIME_LIBRARY)
    message(FATAL_ERROR "no ONNX Runtime: give -DONNXRUNTIME_ROOT=FOLDER with include/onnxruntime_c_api.h and "
                        "lib/libonnxruntime.so; device/fetch_onnxruntime.py assembles one for tests")
  endif()
  if(ONNXRUNTIME_LIBRARY MATCHES "[.]a$")
    add_library(edgeecho::onnxruntime STATIC IMPORTED)
  else()
    add_library(edgeecho::onnxruntime SHARED IMPORTED)
  endif()
  set_target_properties(edgeecho::onnxruntime PROPERTIES IMPORTED_LOCATION "${ONNXRUNTIME_LIBRARY}"
                        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${ONNXRUNTIME_INCLUDE}"
                        INTERFACE_INCLUDE_DIRECTORIES "${ONNXRUNTIME_INCLUDE}")
endif()
