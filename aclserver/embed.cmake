# Turns a text file into a C file: cmake -DIN=… -DOUT=… -DNAME=… -DVERSION=… -P embed.cmake
# defines NAME (its bytes) and NAME_len. The text "@VERSION@" in it becomes the version of the project.
cmake_minimum_required(VERSION 3.25)
file(READ ${IN} text)
string(REPLACE "@VERSION@" "${VERSION}" text "${text}")
# By way of a file, because CMake has no bytes of a variable.
file(WRITE ${OUT}.text "${text}")
file(READ ${OUT}.text hex HEX)
file(REMOVE ${OUT}.text)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n\t"
	bytes "${bytes}")
get_filename_component(source ${IN} NAME)
file(WRITE ${OUT} "/* Generated from ${source}. */
#include \"aclserver/${NAME}.h\"

const char ${NAME}_text[] = {
	${bytes}
};
const size_t ${NAME}_len = sizeof(${NAME}_text);
")
