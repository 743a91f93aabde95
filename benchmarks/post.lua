-- The load of `benchmarks.load` for wrk: one POST again and again, built once. wrk's arguments after the URL:
-- body file, media type, authorization, then, where each request shall be another one, the mark in the body that
-- stands for a number, and the first number.

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local body = file:read("*a")
   file:close()
   wrk.method = "POST"
   wrk.headers["Content-Type"] = args[2]
   wrk.headers["Authorization"] = args[3]
   wrk.body = body
   local mark = args[4]
   if mark then
      local at = assert(body:find(mark, 1, true), "the body has no mark")
      local head, tail = body:sub(1, at - 1), body:sub(at + #mark)
      local number, digits = tonumber(args[5]), "%0" .. #mark .. "d"
      function request()
         number = number + 1
         return wrk.format(nil, nil, nil, head .. digits:format(number) .. tail)
      end
   end
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format(
      '{"requests": %d, "seconds": %.6f, "refused": %d, "lost": %d, "p50": %.6f}',
      summary.requests, summary.duration / 1e6, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50) / 1e6))
end
