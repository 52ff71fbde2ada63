// A loop while a class is made.
// expects: TIMEOUT
class Busy {
  static {
    for (;;) {}
  }
}
new Busy();
