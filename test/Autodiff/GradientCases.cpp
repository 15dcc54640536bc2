// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Autodiff/GradientCases.h"

namespace dlc::test {

namespace {

void addElementwise(std::vector<GradientCase> &cases) {
  for (const char *op : {"neg", "abs", "exp", "tanh", "sin", "cos", "erf", "flush"})
    cases.push_back({op, {"[n, 3]"}, std::string("%r = dl.") + op + " %a : <[n, 3]>", "[n, 3]"});
  for (const char *op : {"log", "sqrt"})
    cases.push_back({op, {"[n, 3]"}, std::string("%r = dl.") + op + " %a : <[n, 3]>", "[n, 3]", 0.5, 2});
  for (const char *op : {"add", "sub", "mul", "max", "min"})
    cases.push_back(
        {op, {"[n, 3]", "[n, 3]"}, std::string("%r = dl.") + op + " %a, %b : <[n, 3]>", "[n, 3]"});
  for (const char *op : {"div", "pow"})
    cases.push_back(
        {op, {"[n, 3]", "[n, 3]"}, std::string("%r = dl.") + op + " %a, %b : <[n, 3]>", "[n, 3]", 0.5, 2});
  // (a + 0.9) / b stays between 2 and 3, away from where rem jumps.
  cases.push_back({"rem",
                   {"[n, 3]", "[n, 3]"},
                   "%k = dl.constant 0.9 : f64 : <[n, 3]>\n%s = dl.add %a, %k : <[n, 3]>\n"
                   "%r = dl.rem %s, %b : <[n, 3]>",
                   "[n, 3]",
                   0.55,
                   0.7});
  // One value used twice: contributions add up.
  cases.push_back(
      {"mul", {"[n, 3]"}, "%s = dl.mul %a, %a : <[n, 3]>\n%r = dl.mul %s, %a : <[n, 3]>", "[n, 3]"});
  cases.push_back({"div", {"[n]"}, "%s = dl.exp %a : <[n]>\n%r = dl.div %a, %s : <[n]>", "[n]"});
  // Constant exponents take their own path; the base may be negative for whole ones.
  for (const char *exponent : {"0.0", "1.0", "2.0", "3.0"})
    cases.push_back(
        {"pow",
         {"[n, 3]"},
         std::string("%e = dl.constant ") + exponent + " : f64 : <[n, 3]>\n%r = dl.pow %a, %e : <[n, 3]>",
         "[n, 3]"});
  // Against a constant on the left (relu) the rule compares the result.
  for (const char *op : {"max", "min"}) {
    cases.push_back(
        {op,
         {"[n, 3]"},
         std::string("%z = dl.constant 0.0 : f64 : <[n, 3]>\n%r = dl.") + op + " %z, %a : <[n, 3]>",
         "[n, 3]"});
    cases.push_back(
        {op,
         {"[n, 3]"},
         std::string("%z = dl.constant 0.0 : f64 : <[n, 3]>\n%r = dl.") + op + " %a, %z : <[n, 3]>",
         "[n, 3]"});
  }
  cases.push_back({"select",
                   {"[n, 3]", "[n, 3]", "[n, 3]"},
                   "%m = dl.compare lt %a, %b : <[n, 3]>\n%s = dl.mul %b, %b : <[n, 3]>\n"
                   "%r = dl.select %m, %s, %c : <[n, 3]>",
                   "[n, 3]"});
  cases.push_back({"cast",
                   {"[n, 3]"},
                   "%s = dl.cast %a : <[n, 3]> to !dl.tensor<[n, 3], f32>\n"
                   "%q = dl.mul %s, %s : !dl.tensor<[n, 3], f32>\n"
                   "%r = dl.cast %q : !dl.tensor<[n, 3], f32> to <[n, 3]>",
                   "[n, 3]"});
}

// The square before the operation under test makes the second derivative different from zero.
void addShape(std::vector<GradientCase> &cases) {
  std::string square = "%s = dl.mul %a, %a : <[n, 6]>\n";
  cases.push_back({"broadcast",
                   {"[n, 6]"},
                   square + "%r = dl.broadcast %s [1, 3] : <[n, 6]> to <[2, n, t, 6]>",
                   "[2, n, t, 6]"});
  cases.push_back(
      {"broadcast", {"[]"}, "%s = dl.exp %a : <[]>\n%r = dl.broadcast %s [] : <[]> to <[n]>", "[n]"});
  cases.push_back(
      {"transpose", {"[n, 6]"}, square + "%r = dl.transpose %s [1, 0] : <[n, 6]> to <[6, n]>", "[6, n]"});
  cases.push_back(
      {"transpose",
       {"[n, 2, t]"},
       "%s = dl.sin %a : <[n, 2, t]>\n%r = dl.transpose %s [2, 0, 1] : <[n, 2, t]> to <[t, n, 2]>",
       "[t, n, 2]"});
  cases.push_back(
      {"reshape", {"[n, 6]"}, square + "%r = dl.reshape %s : <[n, 6]> to <[2, 3*n]>", "[2, 3*n]"});
  cases.push_back(
      {"slice",
       {"[n, 6]"},
       square + "%r = dl.slice %s [#dl.poly<0>, #dl.poly<1>] strides [1, 2] : <[n, 6]> to <[n, 3]>",
       "[n, 3]"});
  cases.push_back({"pad",
                   {"[n, 6]"},
                   square + "%r = dl.pad %s value 2.0 : f64 low [#dl.poly<n>, #dl.poly<1>] interior [0, 2] "
                            ": <[n, 6]> to <[2*n + 1, 19]>",
                   "[2*n + 1, 19]"});
  cases.push_back({"concat",
                   {"[n, 6]", "[n, t]"},
                   square + "%q = dl.exp %b : <[n, t]>\n"
                            "%r = dl.concat 1, %s, %q, %s : (<[n, 6]>, <[n, t]>, <[n, 6]>) -> <[n, t + 12]>",
                   "[n, t + 12]"});
}

void addReductions(std::vector<GradientCase> &cases) {
  for (const char *kind : {"sum", "max", "min", "prod"}) {
    std::string reduce = std::string("%s = dl.sin %a : <[n, 3, t]>\n%r = dl.reduce ") + kind;
    cases.push_back({"reduce", {"[n, 3, t]"}, reduce + " %s [1] : <[n, 3, t]> to <[n, t]>", "[n, t]"});
    cases.push_back({"reduce", {"[n, 3, t]"}, reduce + " %s [0, 2] : <[n, 3, t]> to <[3]>", "[3]"});
    cases.push_back({"reduce", {"[n, 3, t]"}, reduce + " %s [0, 1, 2] : <[n, 3, t]> to <[]>", "[]"});
  }
  auto contract = [&](const char *equation, const char *a, const char *b, const char *r) {
    cases.push_back({"contract",
                     {a, b},
                     std::string("%r = dl.contract \"") + equation + "\" %a, %b : (<" + a + ">, <" + b +
                         ">) -> <" + r + ">",
                     r});
  };
  contract("mk,nk->mn", "[n, 3]", "[t, 3]", "[n, t]");
  contract("km,kn->nm", "[3, n]", "[3, t]", "[t, n]");
  contract("bmk,bkn->bmn", "[2, n, 3]", "[2, 3, t]", "[2, n, t]");
  contract("a,b->ab", "[n]", "[t]", "[n, t]");
  contract("ab,ab->a", "[n, t]", "[n, t]", "[n]");
  contract("ab,ba->", "[n, t]", "[t, n]", "[]");
  contract("ab,ab->ba", "[n, t]", "[n, t]", "[t, n]");
}

// Windows, strides, descending indices, sums of indices, a diagonal, indices that repeat, constants,
// divisors.
void addIndices(std::vector<GradientCase> &cases) {
  auto subscript = [&](const char *x, const char *geometry, const char *r) {
    cases.push_back({"subscript",
                     {x},
                     std::string("%s = dl.mul %a, %a : <") + x + ">\n%r = dl.subscript %s " + geometry +
                         " : <" + x + "> to <" + r + ">",
                     r});
  };
  subscript("[n, 7]", "[1, 0, 0, 0, 2, 1] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1]", "[n, 3, 3]");
  subscript("[n, 7]", "[1, 0, 0, 0, 3, 2] offsets [#dl.poly<0>, #dl.poly<-2>] divisors [1, 1]", "[n, 3, 3]");
  subscript("[t]", "[-1] offsets [#dl.poly<t - 1>] divisors [1]", "[t]");
  subscript("[n + t - 1]", "[1, 1] offsets [#dl.poly<0>] divisors [1]", "[n, t]");
  subscript("[t, t]", "[1, 1] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1]", "[t]");
  subscript("[t, t]", "[1, 0, 1, 1] offsets [#dl.poly<0>, #dl.poly<-1>] divisors [1, 1]", "[t, 3]");
  subscript("[3, t]", "[0, 0, 1, 0] offsets [#dl.poly<1>, #dl.poly<0>] divisors [1, 1]", "[t, 2]");
  subscript("[3]", "[1] offsets [#dl.poly<1>] divisors [2]", "[6]");
  subscript("[5]", "[2, 4] offsets [#dl.poly<0>] divisors [1]", "[n, 2]");
  // What index notation makes of max[u in 0..3](x[i, 2 * j + u]): windows that overlap, and their reduction.
  for (const char *kind : {"sum", "max", "min", "prod"})
    cases.push_back({"subscript",
                     {"[n, 7]"},
                     std::string("%s = dl.sin %a : <[n, 7]>\n%u = dl.subscript %s [1, 0, 0, 0, 2, 1] offsets "
                                 "[#dl.poly<0>, #dl.poly<0>] divisors [1, 1] : <[n, 7]> to <[n, 3, 3]>\n"
                                 "%r = dl.reduce ") +
                         kind + " %u [2] : <[n, 3, 3]> to <[n, 3]>",
                     "[n, 3]"});

  std::string index = "%i = dl.iota 0 : !dl.tensor<[n, 2], i32>\n%j = dl.iota 1 : !dl.tensor<[n, 2], i32>\n"
                      "%k = dl.mul %i, %j : !dl.tensor<[n, 2], i32>\n"; // 0, 0, 0, 1, 0, 2, ...
  std::string square = "%s = dl.mul %a, %a : ";
  cases.push_back({"gather",
                   {"[2, 3]"},
                   index + square +
                       "<[2, 3]>\n%r = dl.gather %s, %k batch 0 "
                       ": (<[2, 3]>, !dl.tensor<[n, 2], i32>) -> <[n, 2, 3]>",
                   "[n, 2, 3]"});
  cases.push_back({"gather",
                   {"[n, 3]"},
                   index + square +
                       "<[n, 3]>\n%r = dl.gather %s, %k batch 1 "
                       ": (<[n, 3]>, !dl.tensor<[n, 2], i32>) -> <[n, 2]>",
                   "[n, 2]"});
  cases.push_back({"scatter_add",
                   {"[n, 2, 3]"},
                   index + square +
                       "<[n, 2, 3]>\n%r = dl.scatter_add %s, %k batch 0 "
                       ": (<[n, 2, 3]>, !dl.tensor<[n, 2], i32>) -> <[2, 3]>",
                   "[2, 3]"});
  cases.push_back({"scatter_add",
                   {"[n, 2]"},
                   index + square +
                       "<[n, 2]>\n%r = dl.scatter_add %s, %k batch 1 "
                       ": (<[n, 2]>, !dl.tensor<[n, 2], i32>) -> <[n, 3]>",
                   "[n, 3]"});
}

// Two-dimensional with stride, uneven padding, dilation and groups; one-dimensional with a symbolic extent.
void addWindowed(std::vector<GradientCase> &cases) {
  struct Convolution {
    const char *geometry, *x, *w, *y;
  };
  for (const Convolution &c :
       {Convolution{"strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1", "[n, 2, 3, 4]",
                    "[2, 2, 3, 3]", "[n, 2, 3, 4]"},
        {"strides [2, 1] padding [1, 0] to [0, 2] dilations [1, 2] groups 2", "[n, 4, 5, 4]", "[2, 2, 3, 2]",
         "[n, 2, 2, 4]"},
        {"strides [1] padding [1] to [1] dilations [1] groups 1", "[n, 1, t]", "[2, 1, 3]", "[n, 2, t]"}}) {
    auto add = [&](const char *op, const char *a, const char *b, const char *r) {
      cases.push_back({op,
                       {a, b},
                       std::string("%r = dl.") + op + " %a, %b " + c.geometry + " : (<" + a + ">, <" + b +
                           ">) -> <" + r + ">",
                       r});
    };
    add("conv", c.x, c.w, c.y);
    add("conv_input_grad", c.y, c.w, c.x);
    add("conv_weight_grad", c.y, c.x, c.w);
  }

  struct Pool {
    const char *geometry, *x, *y;
  };
  for (const Pool &p :
       {Pool{"window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]", "[n, 2, 4, 4]", "[n, 2, 2, 2]"},
        {"window [3, 2] strides [2, 1] padding [1, 0] to [1, 1]", "[n, 1, 5, 3]", "[n, 1, 3, 3]"}}) {
    std::string x = p.x, y = p.y, geometry = p.geometry, square = "%s = dl.mul %a, %a : <" + x + ">\n";
    cases.push_back(
        {"max_pool", {x}, square + "%r = dl.max_pool %s " + geometry + " : (<" + x + ">) -> <" + y + ">", y});
    std::string sine = "%s = dl.sin %b : <" + y + ">\n";
    cases.push_back(
        {"max_pool_grad",
         {x, y},
         sine + "%r = dl.max_pool_grad %a, %s " + geometry + " : (<" + x + ">, <" + y + ">) -> <" + x + ">",
         x});
    cases.push_back({"max_pool_select",
                     {x, x},
                     "%s = dl.sin %b : <" + x + ">\n%r = dl.max_pool_select %a, %s " + geometry + " : (<" +
                         x + ">, <" + x + ">) -> <" + y + ">",
                     y});
  }
}

void addScans(std::vector<GradientCase> &cases) {
  // A recurrent layer: captured weights and bias, stacked results, the last carry used too.
  cases.push_back({"scan",
                   {"[n, t, 2]", "[n, 3]", "[3, 2]", "[3, 3]", "[3]"},
                   R"(%last, %all = dl.scan <t> xs(%a) axes [1] carries(%b) stack_axes [1]
    : (<[n, t, 2]>), (<[n, 3]>) -> (<[n, 3]>), (<[n, t, 3]>) {
  ^bb0(%i: !dl.tensor<[], i64>, %x: <[n, 2]>, %h: <[n, 3]>):
    %u = dl.contract "mk,nk->mn" %x, %c : (<[n, 2]>, <[3, 2]>) -> <[n, 3]>
    %v = dl.contract "mk,nk->mn" %h, %d : (<[n, 3]>, <[3, 3]>) -> <[n, 3]>
    %bias = dl.broadcast %e [1] : <[3]> to <[n, 3]>
    %uv = dl.add %u, %v : <[n, 3]>
    %z = dl.add %uv, %bias : <[n, 3]>
    %next = dl.tanh %z : <[n, 3]>
    dl.yield %next, %next : <[n, 3]>, <[n, 3]>
  }
  %sum = dl.reduce sum %all [1] : <[n, t, 3]> to <[n, 3]>
  %r = dl.mul %sum, %last : <[n, 3]>)",
                   "[n, 3]"});
  // Backwards, with the index, two carries of which one feeds the other, and a value that is saved.
  cases.push_back({"scan",
                   {"[t, n]", "[n]", "[n]"},
                   R"(%p, %q, %all = dl.scan <t> reverse xs(%a) axes [0] carries(%b, %c) stack_axes [1]
    : (<[t, n]>), (<[n]>, <[n]>) -> (<[n]>, <[n]>), (<[n, t]>) {
  ^bb0(%i: !dl.tensor<[], i64>, %x: <[n]>, %g: <[n]>, %h: <[n]>):
    %fi = dl.cast %i : !dl.tensor<[], i64> to <[]>
    %bi = dl.broadcast %fi [] : <[]> to <[n]>
    %s = dl.sin %h : <[n]>
    %xs = dl.mul %x, %s : <[n]>
    %g1 = dl.add %g, %xs : <[n]>
    %ih = dl.mul %bi, %g1 : <[n]>
    %h1 = dl.cos %ih : <[n]>
    %out = dl.mul %h1, %x : <[n]>
    dl.yield %g1, %h1, %out : <[n]>, <[n]>, <[n]>
  }
  %last = dl.slice %all [#dl.poly<0>, #dl.poly<t - 1>] strides [1, 1] : <[n, t]> to <[n, 1]>
  %flat = dl.reshape %last : <[n, 1]> to <[n]>
  %r = dl.mul %p, %flat : <[n]>)",
                   "[n]"});
  // A scan in a scan; the inner one captures the outer one's carry.
  cases.push_back({"scan",
                   {"[n, t, 2]", "[2]", "[2]"},
                   R"(%r = dl.scan <n> xs(%a) axes [0] carries(%b) stack_axes []
    : (<[n, t, 2]>), (<[2]>) -> (<[2]>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %row: <[t, 2]>, %h: <[2]>):
    %inner, %all = dl.scan <t> xs(%row) axes [0] carries(%c) stack_axes [0]
      : (<[t, 2]>), (<[2]>) -> (<[2]>), (<[t, 2]>) {
    ^bb0(%j: !dl.tensor<[], i64>, %x: <[2]>, %k: <[2]>):
      %xh = dl.mul %x, %h : <[2]>
      %sum = dl.add %xh, %k : <[2]>
      %next = dl.sin %sum : <[2]>
      dl.yield %next, %sum : <[2]>, <[2]>
    }
    %mean = dl.reduce sum %all [0] : <[t, 2]> to <[2]>
    %m = dl.mul %mean, %inner : <[2]>
    %h1 = dl.tanh %m : <[2]>
    dl.yield %h1 : <[2]>
  })",
                   "[2]"});
  // A carry that nothing changes, one that is never used, and a random mask drawn again going back.
  cases.push_back({"scan",
                   {"[t]", "[]"},
                   R"(%seed = dl.constant 7 : i64 : !dl.tensor<[], i64>
  %k, %u, %all = dl.scan <t> xs(%a) axes [0] carries(%b, %b) stack_axes [0]
    : (<[t]>), (<[]>, <[]>) -> (<[]>, <[]>), (<[t]>) {
  ^bb0(%i: !dl.tensor<[], i64>, %x: <[]>, %same: <[]>, %unused: <[]>):
    %mask.key = dl.random_key site 3 seed %seed
    %mask = dl.random key %mask.key iteration %seed index %i : <[]>
    %xm = dl.mul %x, %mask : <[]>
    %e = dl.exp %same : <[]>
    %y = dl.mul %xm, %e : <[]>
    dl.yield %same, %y, %y : <[]>, <[]>, <[]>
  }
  %bk = dl.broadcast %k [] : <[]> to <[t]>
  %r = dl.mul %all, %bk : <[t]>)",
                   "[t]"});
}

/// Whole models: what no rule alone shows.
// The rules state the true gradients, so that they can be compared; the second one also keeps a scan's
// values.
void addCustom(std::vector<GradientCase> &cases) {
  cases.push_back({"custom_gradient",
                   {"[n, 3]", "[n, 3]"},
                   R"(%p = dl.mul %a, %b : <[n, 3]>
  %e = dl.exp %p : <[n, 3]>
  %r = dl.custom_gradient values(%e) of(%a, %b) captures(%e, %a, %b) : (!dl.tensor<[n, 3], f64>), (!dl.tensor<[n, 3], f64>, !dl.tensor<[n, 3], f64>), (!dl.tensor<[n, 3], f64>, !dl.tensor<[n, 3], f64>, !dl.tensor<[n, 3], f64>) {
  ^bb0(%dr: !dl.tensor<[n, 3], f64>, %y: !dl.tensor<[n, 3], f64>, %x: !dl.tensor<[n, 3], f64>, %z: !dl.tensor<[n, 3], f64>):
    %d = dl.mul %dr, %y : <[n, 3]>
    %dx = dl.mul %d, %z : <[n, 3]>
    %dz = dl.mul %d, %x : <[n, 3]>
    dl.yield %dx, %dz : !dl.tensor<[n, 3], f64>, !dl.tensor<[n, 3], f64>
  })",
                   "[n, 3]"});
  cases.push_back({"custom_gradient",
                   {"[n]", "[t, n]"},
                   R"(%last = dl.scan <t> xs(%b) axes [0] carries(%a) stack_axes []
      : (!dl.tensor<[t, n], f64>), (!dl.tensor<[n], f64>) -> (!dl.tensor<[n], f64>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %x: !dl.tensor<[n], f64>, %h: !dl.tensor<[n], f64>):
    %s = dl.mul %x, %h : <[n]>
    %q = dl.sin %s : <[n]>
    %c = dl.cos %s : <[n]>
    %next = dl.custom_gradient values(%q) of(%s) captures(%c) : (!dl.tensor<[n], f64>), (!dl.tensor<[n], f64>), (!dl.tensor<[n], f64>) {
    ^bb0(%dr: !dl.tensor<[n], f64>, %k: !dl.tensor<[n], f64>):
      %ds = dl.mul %dr, %k : <[n]>
      dl.yield %ds : !dl.tensor<[n], f64>
    }
    dl.yield %next : !dl.tensor<[n], f64>
  }
  %r = dl.mul %last, %last : <[n]>)",
                   "[n]"});
}

void addModels(std::vector<GradientCase> &cases) {
  // Convolution, bias, relu, pooling, linear, softmax with cross-entropy (row i has the label i).
  cases.push_back({"conv",
                   {"[n, 1, 4, 4]", "[2, 1, 3, 3]", "[2]", "[3, 8]"},
                   R"(%conv = dl.conv %a, %b strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (<[n, 1, 4, 4]>, <[2, 1, 3, 3]>) -> <[n, 2, 4, 4]>
  %bias = dl.broadcast %c [1] : <[2]> to <[n, 2, 4, 4]>
  %z = dl.add %conv, %bias : <[n, 2, 4, 4]>
  %zero = dl.constant 0.0 : f64 : <[n, 2, 4, 4]>
  %relu = dl.max %zero, %z : <[n, 2, 4, 4]>
  %pool = dl.max_pool %relu window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (<[n, 2, 4, 4]>) -> <[n, 2, 2, 2]>
  %flat = dl.reshape %pool : <[n, 2, 2, 2]> to <[n, 8]>
  %logits = dl.contract "mk,nk->mn" %flat, %d : (<[n, 8]>, <[3, 8]>) -> <[n, 3]>
  %max = dl.reduce max %logits [1] : <[n, 3]> to <[n]>
  %stopped = dl.stop_gradient %max : <[n]>
  %shift = dl.broadcast %stopped [0] : <[n]> to <[n, 3]>
  %shifted = dl.sub %logits, %shift : <[n, 3]>
  %exp = dl.exp %shifted : <[n, 3]>
  %total = dl.reduce sum %exp [1] : <[n, 3]> to <[n]>
  %log = dl.log %total : <[n]>
  %logs = dl.broadcast %log [0] : <[n]> to <[n, 3]>
  %logp = dl.sub %shifted, %logs : <[n, 3]>
  %negative = dl.neg %logp : <[n, 3]>
  %row = dl.iota 0 : !dl.tensor<[n, 3], i32>
  %column = dl.iota 1 : !dl.tensor<[n, 3], i32>
  %chosen = dl.compare eq %row, %column : !dl.tensor<[n, 3], i32>
  %none = dl.constant 0.0 : f64 : <[n, 3]>
  %picked = dl.select %chosen, %negative, %none : <[n, 3]>
  %r = dl.reduce sum %picked [1] : <[n, 3]> to <[n]>)",
                   "[n]"});
}

} // namespace

std::vector<GradientCase> gradientCases() {
  std::vector<GradientCase> cases;
  addElementwise(cases);
  addShape(cases);
  addReductions(cases);
  addIndices(cases);
  addWindowed(cases);
  addScans(cases);
  addCustom(cases);
  addModels(cases);
  return cases;
}

} // namespace dlc::test
