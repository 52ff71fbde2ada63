# A table of sucrase is filled by 65,408 steps of a loop: 3 ms in an interpreter, each time it is loaded. The same in one.
file(READ ${FILE} text)
string(REGEX REPLACE "for \\(let i = 128; i < 65536; i\\+\\+\\) {[ \n]*IS_IDENTIFIER_CHAR\\[i\\] = 1;[ \n]*}"
  "IS_IDENTIFIER_CHAR.fill(1, 128);" changed "${text}")
if(changed STREQUAL text)
  message(FATAL_ERROR "${FILE} has no such loop: does this version of sucrase make its tables in another way?")
endif()
file(WRITE ${FILE} "${changed}")
