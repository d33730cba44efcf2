-- `http-request lua.auth-request URL` for haproxy.cfg: asks oten-bff about a request.
-- Leaves the status of the answer in txn.verify_status. While that is not 204, the request must not go on.

local COPIED = { "x-auth-subject", "x-auth-email", "authorization" }

-- HAProxy counts the values of a header from 0.
local function values(headers, name)
  local list = {}
  for index = 0, 100 do
    local value = headers[name] and headers[name][index]
    if value == nil then break end
    list[#list + 1] = value
  end
  return list
end

-- The app has no use for the cookies of oten-bff, so it does not get them.
local function without_own_cookies(cookies)
  local kept = {}
  for _, line in ipairs(cookies) do
    for pair in line:gmatch("[^;]+") do
      local name = pair:match("^%s*([^=]*)"):gsub("^__Host%-Http%-", "")
      if not name:match("^oten_") then kept[#kept + 1] = pair:match("^%s*(.-)%s*$") end
    end
  end
  return table.concat(kept, "; ")
end

core.register_action("auth-request", { "http-req" }, function(txn, url)
  txn:set_var("txn.verify_status", 0)
  local sent = txn.http:req_get_headers()
  local cookies = values(sent, "cookie")
  -- With nothing of the request but the credential.
  local question = { cookie = cookies, authorization = values(sent, "authorization") }
  local answer = core.httpclient():get({ url = url, headers = question, timeout = 30000 })

  if answer.status == 204 then
    for _, name in ipairs(COPIED) do
      -- In the place of whatever the client sent.
      txn.http:req_set_header(name, values(answer.headers, name)[1] or "")
    end
    local rest = without_own_cookies(cookies)
    txn.http:req_del_header("cookie")
    if rest ~= "" then txn.http:req_add_header("cookie", rest) end
  end
  txn:set_var("txn.verify_status", answer.status)
end, 1)
