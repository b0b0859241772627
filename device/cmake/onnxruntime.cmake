# edgeecho_find_onnxruntime(): ONNX Runtime from ONNXRUNTIME_ROOT if it is given, else from where CMake looks.
#
# Sets ONNXRUNTIME_INCLUDE (folder of onnxruntime_c_api.h) and ONNXRUNTIME_LIBRARY, and ONNXRUNTIME_MISSING to a message
# if something is missing that EDGEECHO_ONNXRUNTIME (dlopen, linked, passed) needs, to nothing otherwise. With `linked`
# it makes the target edgeecho::onnxruntime. With the argument LIBRARY no header is needed, as to link an installed
# EdgeEcho.
set(ONNXRUNTIME_ROOT "" CACHE PATH "Folder with ONNX Runtime's include/ and lib/")

function(edgeecho_find_onnxruntime)
  if(ONNXRUNTIME_ROOT)
    set(only NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  endif()
  if(NOT "LIBRARY" IN_LIST ARGV)
    find_path(ONNXRUNTIME_INCLUDE onnxruntime_c_api.h PATHS ${ONNXRUNTIME_ROOT}
              PATH_SUFFIXES include include/onnxruntime include/onnxruntime/core/session ${only})
    set(header_missing TRUE)
    if(ONNXRUNTIME_INCLUDE)
      set(header_missing FALSE)
      file(STRINGS ${ONNXRUNTIME_INCLUDE}/onnxruntime_c_api.h version REGEX "^#define ORT_API_VERSION [0-9]+")
      string(REGEX MATCH "[0-9]+$" version "${version}")
      if(version LESS 17)
        set(missing "ONNX Runtime's header in ${ONNXRUNTIME_INCLUDE} is of version 1.${version}; 1.17 or later is needed")
      endif()
    endif()
  endif()
  find_library(ONNXRUNTIME_LIBRARY onnxruntime PATHS ${ONNXRUNTIME_ROOT} PATH_SUFFIXES lib lib64 ${only})
  if(EDGEECHO_ONNXRUNTIME STREQUAL "linked" AND NOT ONNXRUNTIME_LIBRARY)
    set(missing "no library of ONNX Runtime: give -DONNXRUNTIME_ROOT=FOLDER with lib/libonnxruntime.so")
  endif()
  if(header_missing)
    set(missing "no ONNX Runtime: give -DONNXRUNTIME_ROOT=FOLDER with include/onnxruntime_c_api.h and \
lib/libonnxruntime.so; fetch_onnxruntime.py assembles one for tests")
  endif()
  set(ONNXRUNTIME_MISSING "${missing}" PARENT_SCOPE)
  if(missing OR NOT EDGEECHO_ONNXRUNTIME STREQUAL "linked" OR TARGET edgeecho::onnxruntime)
    return()
  endif()
  set(kind SHARED)
  if(ONNXRUNTIME_LIBRARY MATCHES "[.]a$")
    set(kind STATIC)
  endif()
  add_library(edgeecho::onnxruntime ${kind} IMPORTED GLOBAL)
  set_target_properties(edgeecho::onnxruntime PROPERTIES IMPORTED_LOCATION "${ONNXRUNTIME_LIBRARY}")
endfunction()
