// The module Huey.
