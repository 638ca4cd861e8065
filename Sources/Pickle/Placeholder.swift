// The module Pickle.
